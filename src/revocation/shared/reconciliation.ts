/**
 * Makes copy and log one, entry by entry: first what the copy has and the log lacks goes into the log, as new
 * records; then everything the log has goes into the copy.
 *
 * In this order because only the first half keeps others waiting (`SharedLog.hold`): acknowledged changes may be
 * among them. The copy speaks for the log again as of the head at which the reading began; records since then are
 * followed as always, and may bring again what the reading brought already.
 */
import { decodeEntry, encodeEntry, isOfLaterSchema } from '../status-entry.ts';
import { accountEntry } from '../store-account.ts';
import { encodeState, type StoreState } from '../store-state.ts';
import {
  copyFault,
  copyOfState,
  type Healing,
  type HealingParts,
  type HealingStep,
  logChanged,
  logFault,
  MORE,
  PAGE_ENTRIES,
  readHead,
} from './healing.ts';
import { isAuthenticEntry } from './log-judgement.ts';
import type { HashedEntry, LogRecord } from './shared-log.ts';
import { winner } from './winner.ts';

/** Appends that found the log moved, in one reconciliation, before it is given up and judged anew. */
const MAX_MOVED = 50;

export interface ReconciliationPlan {
  /** The life of the log to join, whose head has been found authentic. */
  readonly epoch: Buffer;
  /** Whether the copy may not be what its own state says: then that is found out first. */
  readonly audit: boolean;
  /**
   * Whether the log is to be relied on as it stands, with nobody about to bring more: then entries of the copy that
   * are not authentic, and that the log does not know, are given up.
   */
  readonly settled: boolean;
}

export function createReconciliation(parts: HealingParts, plan: ReconciliationPlan): Healing {
  const { copy } = parts;
  const { epoch, settled } = plan;
  let audited: Awaited<ReturnType<typeof copy.audit>> | undefined;
  let next: () => Promise<HealingStep> = async () => {
    const begun = copy.beginReconciliation();
    if (!begun.ok) return copyFault(begun);
    next = plan.audit ? auditing : contributing;
    // Takes its time in slices of its own; steps go on meanwhile, so that the hold is kept.
    if (plan.audit) {
      void copy.audit().then((result) => {
        audited = result;
      });
    }
    return MORE;
  };
  const auditing = async (): Promise<HealingStep> => {
    if (audited === undefined) return { kind: 'again' };
    if (!audited.ok) return copyFault(audited);
    next = contributing;
    return MORE;
  };
  let after: Buffer | undefined;
  let moved = 0;
  const contributing = async (): Promise<HealingStep> => {
    const page = copy.entriesAfter(after, PAGE_ENTRIES);
    if (!page.ok) return copyFault(page);
    if (page.value.length === 0) {
      next = reading;
      return { kind: 'contributed' };
    }
    const step = await contribute(parts, epoch, page.value, settled);
    if (step.kind === 'more') after = page.value.at(-1)?.hash;
    if (step.kind === 'again' && ++moved > MAX_MOVED) return logChanged('moved');
    return step;
  };
  const reading = async (): Promise<HealingStep> => {
    const read = await readHead(parts, epoch);
    if (read.head === undefined) return read.step;
    next = scanning(read.head.seq);
    return MORE;
  };
  const scanning = (seq: number) => {
    let cursor = '0';
    return async (): Promise<HealingStep> => {
      const scanned = await mergeScanned(parts, epoch, cursor);
      if ('kind' in scanned) return scanned;
      cursor = scanned.cursor;
      if (cursor === '0') next = () => adopt(parts, epoch, seq);
      return MORE;
    };
  };
  return { step: () => next() };
}

/** Codes after which a scan cannot go on: that life is gone, or another server does not know the cursor. */
const SCAN_ENDED: ReadonlySet<string> = new Set(['EPOCH', 'SCAN_MOVED']);

/** Merges what one scan call yields into the copy, as far as it is authentic. */
export async function mergeScanned(
  { log, copy, macKey, refused }: HealingParts,
  epoch: Buffer,
  cursor: string,
): Promise<HealingStep | { readonly cursor: string; readonly entries: readonly HashedEntry[] }> {
  const scanned = await log.scanEntries(epoch, cursor);
  if (!scanned.ok && SCAN_ENDED.has(scanned.code)) return logChanged(scanned.code);
  if (!scanned.ok) return logFault(scanned);
  const isNewer = ({ hash, entry }: HashedEntry) => isOfLaterSchema(macKey, hash, entry);
  if (scanned.value.entries.some(isNewer)) return newerEntry({ refused });
  const entries = scanned.value.entries.filter((entry) => {
    const authentic = isAuthenticEntry(macKey, entry);
    if (!authentic) refused('entry');
    return authentic;
  });
  const merged = copy.merge(entries);
  return merged.ok ? { cursor: scanned.value.cursor, entries } : copyFault(merged);
}

/** Nothing may be mended, nor founded, without an entry that only newer gateways understand. */
function newerEntry({ refused }: Pick<HealingParts, 'refused'>): HealingStep {
  refused('schema');
  return logFault({ ok: false, fault: 'refused', code: 'SCHEMA' });
}

/** The copy speaks for the life it was read from, if that is still the log: a scan of a dropped one is empty. */
async function adopt(parts: HealingParts, epoch: Buffer, seq: number): Promise<HealingStep> {
  const read = await readHead(parts, epoch);
  if (read.head === undefined) return read.step;
  const adopted = parts.copy.adopt(epoch, seq);
  return adopted.ok ? { kind: 'done' } : copyFault(adopted);
}

/**
 * Brings what wins in this page of the copy, or is missing in the log, into the log. The head is read before the
 * entries: appended only if it still stands, they are those that the state accounts for.
 */
async function contribute(
  parts: HealingParts,
  epoch: Buffer,
  page: readonly HashedEntry[],
  settled: boolean,
): Promise<HealingStep> {
  const { log, copy, macKey, refused } = parts;
  const read = await readHead(parts, epoch);
  if (read.head === undefined) return read.step;
  const { head } = read;
  const stored = await log.entriesOf(page.map(({ hash }) => hash));
  if (!stored.ok) return logFault(stored);
  const state = copyOfState(read.state);
  const records: LogRecord[] = [];
  const rotten: Buffer[] = [];
  const better: HashedEntry[] = [];
  for (const [i, own] of page.entries()) {
    const entry = stored.value[i];
    const there = entry && { hash: own.hash, entry };
    // The state accounts for what stood here before, and nobody can say any more what that was.
    if (there && isOfLaterSchema(macKey, there.hash, there.entry)) return newerEntry(parts);
    if (there && !isAuthenticEntry(macKey, there)) {
      refused('entry');
      return { kind: 'failed', because: 'not-reconcilable', code: 'entry' };
    }
    if (!isAuthenticEntry(macKey, own)) {
      if (there) better.push(there);
      else rotten.push(own.hash);
    } else if (!there || winner(own.entry, there.entry).compare(there.entry) !== 0) {
      records.push(appendTo(state, macKey, own, there));
    }
  }
  const mended = better.length > 0 ? copy.merge(better) : undefined;
  if (mended?.ok === false) return copyFault(mended);
  const givenUp = settled && rotten.length > 0 ? copy.quarantine(rotten) : undefined;
  if (givenUp?.ok === false) return copyFault(givenUp);
  if (records.length === 0) return MORE;
  const appended = await log.append({
    epoch,
    expectedSeq: head.seq,
    expectedState: head.state,
    records,
    state: encodeState(macKey, epoch, state),
  });
  if (!appended.ok) {
    if (appended.fault !== 'refused') return logFault(appended);
    return { kind: 'failed', because: 'not-reconcilable', code: appended.code };
  }
  // Without the replicas' confirmation it stands nevertheless, and this copy keeps it.
  return appended.value.kind === 'moved' ? { kind: 'again' } : MORE;
}

/** The copy's entry as the record after `state`, which accounts for it on return. */
function appendTo(
  state: StoreState,
  macKey: Uint8Array,
  own: HashedEntry,
  there: HashedEntry | undefined,
): LogRecord {
  const { hash } = own;
  const fields = decodeEntry(macKey, hash, own.entry);
  if (fields === undefined) throw new Error('an entry that was authentic a moment ago');
  const seq = state.seq + 1;
  const entry = encodeEntry(macKey, hash, { ...fields, seq });
  if (there !== undefined) accountEntry(state, hash, there.entry, -1);
  accountEntry(state, hash, entry, 1);
  state.seq = seq;
  state.lastChangeMs = Math.max(state.lastChangeMs, fields.sinceMs);
  return { seq, hash, entry };
}
