/**
 * What one gateway at a time does for the shared log, under a lease: it lets go of old records, and publishes its
 * filter for gateways that come without a copy. Whoever is further behind than the records kept compares its
 * whole copy with the log instead.
 */
import { describeError, type Log } from '../log.ts';
import { encodeFilterSnapshot } from '../revocation/shared/filter-snapshot.ts';
import type { Replicator } from '../revocation/shared/replicator-contract.ts';
import type { SharedLog } from '../revocation/shared/shared-log.ts';
import type { StatusStore } from '../revocation/status-store.ts';
import { cardCount } from '../revocation/store-state.ts';

/** About 75 MB of Redis's memory. */
const KEPT_RECORDS = 1_000_000;
const INTERVAL_MS = 15_000;
/** Held over several rounds, so that one gateway does it as long as it lives. */
const LEASE_MS = 4 * INTERVAL_MS;
/** Below so many entries a copy is read whole in less time than settling takes. */
const MIN_ENTRIES = 50_000;
/** A snapshot lapses after seven days; the records since it have to be there still. */
const PUBLISH_INTERVAL_MS = 15 * 60_000;
const PUBLISH_AFTER_CHANGES = KEPT_RECORDS / 10;

export interface LogCareOptions {
  readonly sharedLog: SharedLog;
  readonly store: StatusStore;
  readonly replicator: Pick<Replicator, 'status'>;
  readonly monotonicMs: () => number;
  readonly log: Log;
}

export interface LogCare {
  /** Since this gateway last published its filter; `undefined`: never, as most never do. */
  snapshotAgeMs(): number | undefined;
  stop(): Promise<void>;
}

export function startLogCare(options: LogCareOptions): LogCare {
  const { sharedLog, store, replicator, monotonicMs, log } = options;
  let underWay: Promise<void> = Promise.resolve();
  let published: { readonly atMs: number; readonly epoch: string; readonly seq: number } | undefined;
  const publish = async (seq: number) => {
    const { epoch, secret, filter, db } = store;
    // In the same turn as seq was read. Who starts from the snapshot has no other word of retired keys.
    for (const hash of db.retirements.getKeys({})) filter.add(hash);
    const position = { epoch: Buffer.from(epoch, 'hex'), seq };
    const done = await sharedLog.publishFilter(await encodeFilterSnapshot(secret, filter, position));
    if (done.ok) published = { atMs: monotonicMs(), epoch, seq };
    if (done.ok) log('info', "the filter's snapshot was published", { seq, entries: filter.entries() });
    else log('warn', "the filter's snapshot was not published", { code: done.code });
  };
  const isDue = (seq: number) =>
    published === undefined ||
    published.epoch !== store.epoch ||
    monotonicMs() - published.atMs > PUBLISH_INTERVAL_MS ||
    seq - published.seq > PUBLISH_AFTER_CHANGES;
  const round = async () => {
    if (replicator.status().state !== 'following' || !store.completeness.isComplete()) return;
    const lease = await sharedLog.lease('filter', LEASE_MS);
    const head = store.check();
    if (!lease.ok || !lease.value.held || !head.ok) return;
    const { seq } = head.value;
    if (cardCount(head.value) >= MIN_ENTRIES && isDue(seq)) await publish(seq);
    const throughSeq = Math.min(seq - KEPT_RECORDS, published?.seq ?? seq);
    if (throughSeq <= 0) return;
    const trimmed = await sharedLog.trim(throughSeq);
    if (!trimmed.ok) log('warn', 'old records of the shared log were not let go', { code: trimmed.code });
  };
  const timer = setInterval(() => {
    // A round that fails is told, and the next one tries again.
    underWay = underWay.then(round).catch((error: unknown) => {
      log('error', 'care of the shared log failed', describeError(error));
    });
  }, INTERVAL_MS);
  timer.unref();
  return {
    snapshotAgeMs: () => (published === undefined ? undefined : monotonicMs() - published.atMs),
    stop: async () => {
      clearInterval(timer);
      await underWay;
    },
  };
}
