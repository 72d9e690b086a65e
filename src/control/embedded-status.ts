/** The revocation side of a gateway on its own: its store is the truth, as long as it vouches for itself. */
import { LIMITS } from '../config.ts';
import type { Log } from '../log.ts';
import { cardHash } from '../revocation/card-hash.ts';
import { forgetFilterFile } from '../revocation/filter-file.ts';
import { startHeartbeat } from '../revocation/heartbeat.ts';
import { createKeyRetirements } from '../revocation/key-retirements.ts';
import { createStatusChanges } from '../revocation/status-changes.ts';
import type { StatusStore } from '../revocation/status-store.ts';
import { auditStore } from '../revocation/store-audit.ts';
import { closingTimeMs, type StatusParts, type StatusSide, sharedRevocation } from './status-side.ts';
import { startStoreCare } from './store-care.ts';

export function createEmbeddedStatus({ config, clock, log, store, freshness }: StatusParts): StatusSide {
  const stopHeartbeat = startHeartbeat({
    store,
    freshness,
    clock,
    onFault: (fault) => {
      if (fault === undefined) log('info', 'the status store vouches for itself again');
      else log('error', 'the status store cannot be vouched for; status changes answer 503', { fault });
    },
  });
  const care = startStoreCare(store, log);
  if (store.start.by === 'file') void auditAfterStart(store, log);
  const changes = createStatusChanges({
    store,
    freshness,
    clock,
    massChangeLimit: config.massChangeLimit,
    massChangeWindowMs: LIMITS.massChangeWindowMs,
    maxIdempotencyAnswers: config.idempotencyMaxKeys,
  });
  const retirements = createKeyRetirements({ store, freshness, clock });
  return {
    store,
    changes: { applyChanges: changes.applyChanges, retireKey: retirements.retireKey },
    summary: changes.summary,
    isRetired: retirements.isRetired,
    proveRevoked: async () => [],
    get shared() {
      return sharedRevocation(store, freshness);
    },
    view: freshness.read,
    statusOf: (iss, jti) => {
      const hash = cardHash(store.secret.cardHashKey, iss, jti);
      return store.filter.mightContain(hash) ? store.statusOf(hash) : { status: 'active' };
    },
    // Whoever retires a key here enforces it in the same call.
    onKeyRetirements: () => {},
    handFilterBy: care.handFilterBy,
    close: async (endsAtMs) => {
      stopHeartbeat();
      await care.stop(closingTimeMs(clock, endsAtMs));
      await store.close();
    },
  };
}

/** The entries are audited if the start did not look at them. */
async function auditAfterStart(store: StatusStore, log: Log): Promise<void> {
  const audited = await auditStore(store);
  if (!audited.ok) {
    if (audited.code !== 'STOPPED')
      log('error', 'the status store could not be audited', { fault: audited.fault });
    return;
  }
  const { sound, missingInFilter } = audited.value;
  if (sound) store.completeness.set(true);
  else condemn(store);
  const level = sound && missingInFilter === 0 ? 'info' : 'error';
  log(level, 'status store audited', { sound, missingInFilter });
}

/** The store vouches for nothing any more, and the next start looks at every entry and refuses it. */
function condemn(store: StatusStore): void {
  store.transact(() => {
    forgetFilterFile(store.db);
    return { commit: true, value: undefined };
  });
  store.condemn();
}
