/**
 * What one gateway at a time does for the shared log, under a lease: it lets go of old records. Whoever is further
 * behind than those kept compares its whole copy with the log instead.
 */
import type { Log } from '../log.ts';
import type { Replicator } from '../revocation/shared/replicator-contract.ts';
import type { SharedLog } from '../revocation/shared/shared-log.ts';
import type { StatusStore } from '../revocation/status-store.ts';

/** About 100 MB of Redis's memory. */
const KEPT_RECORDS = 1_000_000;
const INTERVAL_MS = 60_000;
/** Held over several rounds, so that one gateway does it as long as it lives. */
const LEASE_MS = 3 * INTERVAL_MS;

export interface LogCareOptions {
  readonly log: SharedLog;
  readonly store: StatusStore;
  readonly replicator: Pick<Replicator, 'status'>;
  readonly onFault: Log;
}

/** The function returned ends it. */
export function startLogCare({ log, store, replicator, onFault }: LogCareOptions): () => Promise<void> {
  let underWay: Promise<void> = Promise.resolve();
  const round = async () => {
    const head = store.check();
    if (!head.ok || replicator.status().state !== 'following') return;
    const lease = await log.lease('filter', LEASE_MS);
    if (!lease.ok || !lease.value.held) return;
    const throughSeq = head.value.seq - KEPT_RECORDS;
    if (throughSeq <= 0) return;
    const trimmed = await log.trim(throughSeq);
    if (!trimmed.ok) onFault('warn', 'old records of the shared log were not let go', { code: trimmed.code });
  };
  const timer = setInterval(() => {
    underWay = underWay.then(round);
  }, INTERVAL_MS);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await underWay;
  };
}
