/**
 * How a gateway without a copy serves long before it has one: by the filter that another published, and the
 * records since. What that filter rules out is not revoked; what it knows is "cannot tell" until the copy, which
 * is read from the log beside this, is whole. Retired issuer keys stand in the filter like cards.
 *
 * Nothing is believed that a follower with a copy would not believe: the snapshot's MAC, its life and seq, each
 * record's MAC and place, the head's state record, settling, holds. Whatever does not fit ends this, and the
 * gateway is ready when its copy is.
 */
import type { Clock } from '../../clock.ts';
import type { FilterWriter } from '../bloom-filter.ts';
import type { FreshnessWriter } from '../freshness.ts';
import { decodeEntry, KEY_RETIRED } from '../status-entry.ts';
import type { StatusStore } from '../status-store.ts';
import { cardCount } from '../store-state.ts';
import { parseFilterSnapshot, type SnapshotRefusal, type WantedFilter } from './filter-snapshot.ts';
import { createStateCheck, type StateCheck } from './log-judgement.ts';
import type { ReplicaCopy } from './replica-copy.ts';
import { createSettling, type Settling } from './settling.ts';
import type { LogHead, LogRecord, SharedLog } from './shared-log.ts';

export interface SnapshotStartOptions {
  readonly log: Pick<SharedLog, 'readFilter' | 'follow'>;
  readonly store: StatusStore;
  readonly copy: Pick<ReplicaCopy, 'head' | 'beginReconciliation'>;
  /** Not one that remembers: what it is told is not the age of the copy. */
  readonly freshness: Pick<FreshnessWriter, 'beat' | 'publishSeq'>;
  readonly clock: Clock;
  /** A snapshot that leaves out more is of no use: this gateway is ready when its copy is. */
  readonly wanted: WantedFilter;
  readonly settleMs: number;
  readonly pollMs: number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly signal: AbortSignal;
  /** Told why what is published as a filter is of no use. */
  readonly onUnusable?: (reason: SnapshotRefusal) => void;
  /** Puts a filter in force for all workers. */
  readonly enforceFilter: (base: FilterWriter) => Promise<boolean>;
  /** Resolves when retirements that the filter knows are enforced. */
  readonly enforceRetirements: () => Promise<unknown>;
  /** Whether the copy has come to the log's head by itself. */
  readonly isFollowing: () => boolean;
}

/** Why it did not come to it, or that the copy took over. */
export type SnapshotStartEnd =
  | 'copy-whole'
  /** Or none that is of any use here. */
  | 'no-snapshot'
  | 'not-enforced'
  | 'log-differs'
  | 'stopped';

/** At most so many polls without an answer, until the copy alone is waited for. */
const MAX_FAULTS = 100;
const MAX_RECORDS = 1_000;

/** A store that never held anything, and so has nothing that a filter could be wrong about. */
export function isBrandNew(store: StatusStore): boolean {
  const head = store.check();
  if (!head.ok || head.value.seq > 0) return false;
  return cardCount(head.value) + head.value.retiredKeys === 0;
}

export async function startFromSnapshot(options: SnapshotStartOptions): Promise<SnapshotStartEnd> {
  const { log, store, copy, wanted, signal } = options;
  const settling = createSettling(options.settleMs);
  await seeLog(options, settling);
  let read = await log.readFilter();
  while (!read.ok && read.fault === 'unreachable' && !signal.aborted && !options.isFollowing()) {
    await options.sleep(options.pollMs);
    read = await log.readFilter();
  }
  if (!read.ok || read.value === undefined) return 'no-snapshot';
  const parsed = await parseFilterSnapshot(store.secret, read.value, wanted);
  if (!parsed.ok) {
    options.onUnusable?.(parsed.reason);
    return 'no-snapshot';
  }
  const head = copy.head();
  if (!head.ok || signal.aborted) return 'stopped';
  if (head.value.whole && !isBrandNew(store)) return 'copy-whole';
  // From here on the absence of an entry says nothing, on any thread.
  if (head.value.whole && !copy.beginReconciliation().ok) return 'stopped';
  if (!(await options.enforceFilter(parsed.filter))) return 'not-enforced';
  await options.enforceRetirements();
  return follow(options, settling, parsed.epoch, parsed.seq);
}

/**
 * The log is seen before the filter is read, so that it settles while that goes on. Only who answers counts here: what
 * is answered is asked for again.
 */
async function seeLog({ log, store, clock }: SnapshotStartOptions, settling: Settling): Promise<void> {
  const answer = await log.follow(0, 1);
  if (!answer.ok || answer.value.kind !== 'log') return;
  const { head } = answer.value;
  const state = createStateCheck(store.secret.entryMacKey)(head.epoch, head.state);
  if (state?.seq === head.seq) settling.saw(head, clock.monotonicMs());
}

async function follow(
  options: SnapshotStartOptions,
  settling: Settling,
  epoch: Buffer,
  from: number,
): Promise<SnapshotStartEnd> {
  const { log, store, copy, freshness, clock, signal, sleep } = options;
  const checkState = createStateCheck(store.secret.entryMacKey);
  let seq = from;
  for (let faults = 0; !signal.aborted && faults < MAX_FAULTS; ) {
    const head = copy.head();
    // Both follow one log: at this seq the copy knows of everything that the filter was told.
    if (head.ok && head.value.whole && options.isFollowing() && head.value.seq >= seq) return 'copy-whole';
    const beganMs = clock.monotonicMs();
    const answer = await log.follow(seq, MAX_RECORDS);
    if (!answer.ok) {
      settling.saw(undefined, clock.monotonicMs());
      faults++;
      await sleep(options.pollMs);
      continue;
    }
    faults = 0;
    if (answer.value.kind !== 'log') return 'log-differs';
    const { head: there, records } = answer.value;
    settling.saw(there, clock.monotonicMs());
    const good = judge(options, checkState, epoch, seq, there, records);
    if (good === undefined) return 'log-differs';
    // Before the beat that makes a card valid: the filter may know holders whose credentials are superseded.
    if ((checkState(there.epoch, there.state)?.superseded ?? 0) > 0) store.supersedes.raise();
    if (add(store, good)) await options.enforceRetirements();
    seq += good.length;
    freshness.publishSeq(seq);
    if (seq < there.seq) continue;
    if (settling.settledAt(beganMs) && there.confirmed && !there.held) freshness.beat(beganMs);
    await sleep(options.pollMs);
  }
  return 'stopped';
}

/** The records that lead on from `seq`, all of them, or `undefined`: this is not the log that was begun with. */
function judge(
  { store }: SnapshotStartOptions,
  checkState: StateCheck,
  epoch: Buffer,
  seq: number,
  head: LogHead,
  records: readonly LogRecord[],
): readonly LogRecord[] | undefined {
  if (!head.epoch.equals(epoch) || head.seq < seq) return undefined;
  if (checkState(head.epoch, head.state)?.seq !== head.seq) return undefined;
  if (head.seq > seq && records.length === 0) return undefined;
  const isNext = (record: LogRecord, i: number) =>
    record.seq === seq + i + 1 &&
    record.seq <= head.seq &&
    decodeEntry(store.secret.entryMacKey, record.hash, record.entry)?.seq === record.seq;
  return records.every(isNext) ? records : undefined;
}

/** Whether any of them retires an issuer key. */
function add(store: StatusStore, records: readonly LogRecord[]): boolean {
  let retires = false;
  for (const { hash, entry } of records) {
    const status = decodeEntry(store.secret.entryMacKey, hash, entry)?.status;
    if (status !== 'active') store.filter.add(hash);
    if (status === KEY_RETIRED) retires = true;
  }
  return retires;
}
