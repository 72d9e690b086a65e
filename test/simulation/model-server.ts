/**
 * A server that holds the shared log, as its contract has it: each call is one atomic action. What it holds can
 * be copied, lost and forged; nothing here checks a MAC, as Redis would not.
 */
import type {
  Append,
  Appended,
  Followed,
  HashedEntry,
  LogRecord,
} from '../../src/revocation/shared/shared-log.ts';
import { liftsFinal, statusCode } from '../../src/revocation/status-entry.ts';

/** One life of the log: its entries, by the hash in hexadecimal. */
type Entries = Map<string, HashedEntry>;

export interface ServerData {
  /** The life that is open, or the last that was. */
  open: { epoch: Buffer; seq: number; state: Buffer } | undefined;
  founding: { epoch: Buffer; holder: string; untilMs: number } | undefined;
  lives: Map<string, Entries>;
  records: LogRecord[];
  /** By life and hash. */
  answers: Map<string, Buffer>;
  holds: Map<string, number>;
}

export function emptyData(): ServerData {
  return {
    open: undefined,
    founding: undefined,
    lives: new Map(),
    records: [],
    answers: new Map(),
    holds: new Map(),
  };
}

/** Entries and records are never changed in place, so that copying the collections is enough. */
export function copyData(data: ServerData): ServerData {
  return {
    open: data.open && { ...data.open },
    founding: data.founding && { ...data.founding },
    lives: new Map([...data.lives].map(([epoch, entries]) => [epoch, new Map(entries)])),
    records: [...data.records],
    answers: new Map(data.answers),
    holds: new Map(data.holds),
  };
}

export function lifeOf(data: ServerData, epoch: Buffer): Entries {
  const name = epoch.toString('hex');
  const entries = data.lives.get(name) ?? new Map<string, HashedEntry>();
  data.lives.set(name, entries);
  return entries;
}

export function follow(
  data: ServerData,
  server: { readonly id: string; readonly confirmed: boolean; readonly nowMs: number },
  afterSeq: number,
  maxRecords: number,
): Followed {
  const { open, founding, records } = data;
  if (founding !== undefined) return { kind: 'founding', epoch: founding.epoch };
  if (open === undefined) return { kind: 'empty' };
  const held = [...data.holds.values()].some((untilMs) => untilMs > server.nowMs);
  const firstSeq = records[0]?.seq ?? open.seq + 1;
  return {
    kind: 'log',
    head: { ...open, firstSeq, server: server.id, confirmed: server.confirmed, held },
    records: records.filter(({ seq }) => seq > afterSeq).slice(0, maxRecords),
  };
}

/** Statuses that nothing else replaces: a revoked card, a withdrawn key, superseded credentials. */
const FINAL: readonly (number | undefined)[] = (['revoked', 'key-retired', 'superseded'] as const).map(
  statusCode,
);

/** `final`: a record would replace a final status by another, which the script refuses by itself. */
export function append(
  data: ServerData,
  request: Append,
  byNumber = false,
): Exclude<Appended['kind'], 'unconfirmed'> | 'final' {
  const { open, founding } = data;
  if (founding !== undefined || open === undefined || !open.epoch.equals(request.epoch)) return 'moved';
  const { idempotency } = request;
  const answerName = idempotency && answerKey(request.epoch, idempotency.hash);
  if (answerName !== undefined && data.answers.has(answerName)) return 'repeated';
  const asPlanned = byNumber || open.state.equals(request.expectedState);
  if (open.seq !== request.expectedSeq || !asPlanned) return 'moved';
  const entries = lifeOf(data, request.epoch);
  const staged: Entries = new Map();
  for (const { hash, entry } of request.records) {
    const name = hash.toString('hex');
    const old = staged.get(name) ?? entries.get(name);
    if (old !== undefined && FINAL.includes(old.entry[1]) && old.entry[1] !== entry[1]) return 'final';
    if (old !== undefined && liftsFinal(old.entry, entry)) return 'final';
    staged.set(name, { hash, entry });
  }
  for (const [name, entry] of staged) entries.set(name, entry);
  data.records.push(...request.records);
  if (answerName !== undefined && idempotency?.answer) data.answers.set(answerName, idempotency.answer);
  open.seq += request.records.length;
  open.state = request.state;
  return 'appended';
}

export function answerKey(epoch: Buffer, hash: Buffer): string {
  return `${epoch.toString('hex')} ${hash.toString('hex')}`;
}

export function beginFounding(
  data: ServerData,
  claim: { readonly seen: Buffer | undefined; readonly epoch: Buffer; readonly holder: string },
  nowMs: number,
  leaseMs: number,
): boolean {
  const { founding, open } = data;
  const shown = founding?.epoch ?? open?.epoch;
  const same = claim.seen === undefined ? shown === undefined : shown?.equals(claim.seen) === true;
  const othersLease = founding !== undefined && founding.holder !== claim.holder && founding.untilMs > nowMs;
  if (!same || othersLease) return false;
  data.founding = { epoch: claim.epoch, holder: claim.holder, untilMs: nowMs + leaseMs };
  return true;
}

export function putEntries(
  data: ServerData,
  epoch: Buffer,
  entries: readonly HashedEntry[],
  untilMs: number,
): boolean {
  if (!data.founding?.epoch.equals(epoch)) return false;
  data.founding.untilMs = untilMs;
  const life = lifeOf(data, epoch);
  for (const entry of entries) life.set(entry.hash.toString('hex'), entry);
  return true;
}

export function openLife(data: ServerData, epoch: Buffer, seq: number, state: Buffer): boolean {
  if (!data.founding?.epoch.equals(epoch)) return false;
  data.founding = undefined;
  data.open = { epoch, seq, state };
  data.records = [];
  data.answers.clear();
  const life = lifeOf(data, epoch);
  data.lives.clear();
  data.lives.set(epoch.toString('hex'), life);
  return true;
}
