/**
 * Status changes on a shared log: planned on this gateway's copy while it is exactly the log, appended only if the
 * log still is, then durable in the copy and enforced, then acknowledged.
 *
 * So an acknowledged change stands twice: in the log, on as many replicas as configured, and on this gateway's
 * disk. Whatever cannot be known to be so is `unavailable`: it may hold, wholly or not at all, and repeating it
 * is safe. A call without effect is confirmed by an empty append all the same: the change that made it
 * needless may itself stand on one primary only.
 */
import type { Clock } from '../../clock.ts';
import { issuerKeyHash } from '../card-hash.ts';
import {
  type Call,
  type ChangeAdmission,
  type ChangeOutcome,
  judgeCall,
  readCall,
  repeatedAnswer,
  type UnavailableCause,
  unavailable,
} from '../change-call.ts';
import type { ChangeableEntry } from '../change-plan.ts';
import type { DeploymentSecret } from '../deployment-secret.ts';
import type { ChangeWindow } from '../mass-change-limit.ts';
import { authenticFields, decodeEntry, encodeEntry, KEY_RETIRED, type StatusEntry } from '../status-entry.ts';
import { accountEntry } from '../store-account.ts';
import { encodeState } from '../store-state.ts';
import type { StoreResult } from '../store-transaction.ts';
import { createExclusive } from './exclusive.ts';
import { copyOfState } from './healing.ts';
import type { ReplicaCopy } from './replica-copy.ts';
import type { NotAtHead, Replicator, Standing } from './replicator-contract.ts';
import type { Appended, LogRecord, LogResult, SharedLog } from './shared-log.ts';
import { decodeAnswer, encodeAnswer } from './signed-answer.ts';

/** Calls that run or wait on one gateway; each takes about two round trips to the log. */
const DEFAULT_MAX_CALLS = 256;
/** Times that a call is planned anew because others were first. */
const MAX_TRIES = 8;
/** Before another try: uniformly random up to this, doubling. */
const FIRST_WAIT_MS = 5;

export interface AdmissionOptions {
  readonly log: Pick<SharedLog, 'append'>;
  readonly copy: Pick<ReplicaCopy, 'entryOf'>;
  readonly replicator: Pick<Replicator, 'atHead' | 'refused'>;
  readonly secret: DeploymentSecret;
  /** Counts the changes of all gateways: fed by `countApplied` through the replicator's `onApplied`. */
  readonly window: ChangeWindow;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Status changes in the window above which a call is held. */
  readonly massChangeLimit: number;
  readonly maxCalls?: number;
}

export interface SharedAdmission extends ChangeAdmission {
  applyChanges(...request: Parameters<ChangeAdmission['applyChanges']>): Promise<ChangeOutcome>;
  retireKey(iss: string, kid: string): Promise<ChangeOutcome>;
}

export function createAdmission(options: AdmissionOptions): SharedAdmission {
  const { replicator, secret, clock, random, sleep } = options;
  const exclusive = createExclusive();
  const maxCalls = options.maxCalls ?? DEFAULT_MAX_CALLS;
  const admit = async (attempt: (standing: Standing) => Promise<Attempt>): Promise<ChangeOutcome> => {
    if (exclusive.pending() >= maxCalls) return cannot('queue-full');
    return exclusive.run(async () => {
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const answer = await replicator.atHead(attempt);
        if (answer !== 'moved') return 'notAtHead' in answer ? cannotAtHead(answer.notAtHead) : answer;
        await sleep(random() * FIRST_WAIT_MS * 2 ** tries);
      }
      return cannot('log-contended');
    });
  };
  return {
    applyChanges: async (request) => {
      const call = readCall(secret, request, clock.wallMs());
      return admit((standing) => changeCards(options, call, standing));
    },
    retireKey: async (iss, kid) => {
      const hash = issuerKeyHash(secret.cardHashKey, iss, kid);
      return admit((standing) => retire(options, hash, standing));
    },
  };
}

/** Counts what was applied to the copy, whoever admitted it, into the window of the mass-change guard. */
export function countApplied(window: ChangeWindow, records: readonly LogRecord[]): void {
  let statusChanges = 0;
  for (const { hash, entry } of records) {
    const { status, extendsOnly } = authenticFields(entry);
    if (status !== KEY_RETIRED && !extendsOnly && window.counts(hash)) statusChanges++;
  }
  if (statusChanges > 0) window.add(statusChanges);
}

/** `moved`: to be planned anew at the new head. */
type Attempt = ChangeOutcome | 'moved';

async function changeCards(given: AdmissionOptions, call: Call, standing: Standing): Promise<Attempt> {
  const options = { ...given, copy: readOnce(given.copy) };
  const { copy, secret, window, massChangeLimit } = options;
  const { entryMacKey, confirmTokenKey } = secret;
  const current = (hash: Buffer) => cardEntryOf(copy, entryMacKey, hash);
  const plan = judgeCall({ window, massChangeLimit, confirmTokenKey }, call, current, standing.seq);
  if (!('outcome' in plan)) {
    const entries = plan.entries.map(({ hash, after }) => ({ hash, entry: after }));
    return append(options, standing, entries, call, true);
  }
  if (call.keyHash === undefined || plan.outcome === 'unavailable') return plan;
  // What is refused now may have been applied when this key was first used: only the log knows.
  const asked = await append(options, standing, [], call, false);
  return asked !== 'moved' && asked.outcome === 'applied' && asked.seq === NOT_ANSWERED ? plan : asked;
}

/** Stands for the sequence number of an answer that there is not. */
const NOT_ANSWERED = -1;

async function retire(options: AdmissionOptions, hash: Buffer, standing: Standing): Promise<Attempt> {
  const old = options.copy.entryOf(hash);
  if (!old.ok) return unavailable(old);
  if (old.value === undefined) {
    const entry: StatusEntry = {
      status: KEY_RETIRED,
      why: undefined,
      sinceMs: options.clock.wallMs(),
      expiresAt: Number.POSITIVE_INFINITY,
      seq: standing.seq + 1,
      extendsOnly: false,
    };
    return append(options, standing, [{ hash, entry }]);
  }
  const readable = decodeEntry(options.secret.entryMacKey, hash, old.value) !== undefined;
  return readable ? append(options, standing, []) : cannot('unreadable-entry');
}

interface NewEntry {
  readonly hash: Buffer;
  readonly entry: StatusEntry;
}

/**
 * Appends the entries, applies them to the copy, and answers. With `keep`, the answer is remembered under the
 * call's Idempotency-Key; without, it is only asked for, and NOT_ANSWERED says that there is none.
 */
async function append(
  options: AdmissionOptions,
  standing: Standing,
  entries: readonly NewEntry[],
  call?: Call,
  keep = false,
): Promise<Attempt> {
  const { log, secret, clock } = options;
  const { entryMacKey } = secret;
  const { epoch, seq, stateRecord } = standing;
  const records = entries.map(({ hash, entry }) => ({
    seq: entry.seq,
    hash,
    entry: encodeEntry(entryMacKey, hash, entry),
  }));
  const answer = { seq: seq + records.length, changes: call?.digest ?? Buffer.alloc(0) };
  const state = stateAfter(options, standing, records, clock.wallMs());
  if (!state.ok) return unavailable(state);
  const appended = await log.append({
    epoch,
    expectedSeq: seq,
    expectedState: stateRecord,
    records,
    state: state.value,
    ...(call?.keyHash && {
      idempotency: {
        hash: call.keyHash,
        ...(keep && { answer: encodeAnswer(entryMacKey, epoch, call.keyHash, answer) }),
      },
    }),
  });
  if (!appended.ok) return cannotAppend(appended);
  switch (appended.value.kind) {
    case 'moved':
      return 'moved';
    case 'unconfirmed':
      return cannot('not-replicated');
    case 'repeated':
      return repeated(options, call, standing, appended.value.answer);
    case 'appended': {
      const applied = records.length === 0 ? undefined : standing.apply(records);
      if (applied?.ok === false) return unavailable(applied);
      return { outcome: 'applied', seq: call?.keyHash && !keep ? NOT_ANSWERED : answer.seq };
    }
  }
}

/** Acknowledged again only once durable here as well: the copy is the log up to the standing's head. */
function repeated(
  { secret, replicator }: AdmissionOptions,
  call: Call | undefined,
  standing: Standing,
  bytes: Buffer,
): Attempt {
  if (call?.keyHash === undefined) return cannot('log-not-whole');
  const answer = decodeAnswer(secret.entryMacKey, standing.epoch, call.keyHash, bytes);
  if (answer === undefined) {
    replicator.refused('answer');
    return cannot('answer-not-authentic');
  }
  return answer.seq > standing.seq ? 'moved' : repeatedAnswer(call, answer);
}

/** The log's state record after these records, which continue the standing. */
function stateAfter(
  { copy, secret }: AdmissionOptions,
  standing: Standing,
  records: readonly LogRecord[],
  nowMs: number,
): StoreResult<Buffer> {
  const state = copyOfState(standing.state);
  const replaced = new Map<string, Buffer>();
  for (const { seq, hash, entry } of records) {
    const name = hash.toString('latin1');
    const read = copy.entryOf(hash);
    if (!read.ok) return read;
    const old = replaced.get(name) ?? read.value;
    if (old !== undefined) accountEntry(state, hash, old, -1);
    accountEntry(state, hash, entry, 1);
    replaced.set(name, entry);
    state.seq = seq;
  }
  if (records.length === 0) return { ok: true, value: standing.stateRecord };
  return {
    ok: true,
    value: encodeState(secret.entryMacKey, standing.epoch, { ...state, lastChangeMs: nowMs }),
  };
}

/** What is planned on and what is accounted for are read once: nothing is awaited between the two. */
function readOnce(copy: AdmissionOptions['copy']): AdmissionOptions['copy'] {
  const known = new Map<string, ReturnType<typeof copy.entryOf>>();
  return {
    entryOf: (hash) => {
      const name = hash.toString('latin1');
      const read = known.get(name) ?? copy.entryOf(hash);
      known.set(name, read);
      return read;
    },
  };
}

function cardEntryOf(
  copy: AdmissionOptions['copy'],
  macKey: Uint8Array,
  hash: Buffer,
): ChangeableEntry | undefined | 'unreadable' {
  const read = copy.entryOf(hash);
  if (!read.ok) return 'unreadable';
  if (read.value === undefined) return undefined;
  const entry = decodeEntry(macKey, hash, read.value);
  return entry !== undefined && entry.status !== KEY_RETIRED ? entry : 'unreadable';
}

function cannot(cause: UnavailableCause): ChangeOutcome {
  return { outcome: 'unavailable', cause };
}

function cannotAtHead(cause: NotAtHead): ChangeOutcome {
  return cannot(cause === 'copy-fault' ? 'io-error' : cause);
}

function cannotAppend(result: Extract<LogResult<Appended>, { ok: false }>): ChangeOutcome {
  const causes = {
    unreachable: 'log-unreachable',
    refused: 'log-refused',
    malformed: 'log-not-whole',
  } as const;
  return { outcome: 'unavailable', cause: causes[result.fault], code: result.code };
}
