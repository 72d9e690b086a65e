/** The revocation side of a gateway on its own: its store is the truth, as long as it vouches for itself. */
import { setTimeout as wait } from 'node:timers/promises';
import { LIMITS } from '../config.ts';
import { describeError, type Log } from '../log.ts';
import { createDelays } from '../metrics/delays.ts';
import { cardHash, holderHash } from '../revocation/card-hash.ts';
import { startHeartbeat } from '../revocation/heartbeat.ts';
import { createKeyRetirements } from '../revocation/key-retirements.ts';
import { createStatusChanges } from '../revocation/status-changes.ts';
import type { StatusStore } from '../revocation/status-store.ts';
import { auditStore } from '../revocation/store-audit.ts';
import { canaryCardHash } from './canary-revocation.ts';
import { auditUntilKnown, condemn } from './start-audit.ts';
import {
  closingTimeMs,
  mayBeHeldBy,
  type StatusParts,
  type StatusSide,
  sharedRevocation,
} from './status-side.ts';
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
  if (store.start.by === 'file') {
    auditAfterStart(store, log).catch((error: unknown) =>
      log('error', 'the status store could not be audited', describeError(error)),
    );
  }
  const enforcement = createDelays();
  const changes = createStatusChanges({
    store,
    freshness,
    clock,
    massChangeLimit: config.massChangeLimit,
    massChangeWindowMs: LIMITS.massChangeWindowMs,
    uncounted: canaryCardHash(store.secret),
    maxIdempotencyAnswers: config.idempotencyMaxKeys,
    onEnforced: (statusChanges, tookMs) => enforcement.observe(tookMs / 1000, statusChanges),
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
      return mayBeHeldBy(store, hash) ? store.statusOf(hash) : { status: 'active' };
    },
    supersedeOf: (iss, sub) => {
      const hash = holderHash(store.secret.cardHashKey, iss, sub);
      return mayBeHeldBy(store, hash) ? store.supersedeOf(hash) : { status: 'active' };
    },
    // Whoever retires a key here enforces it in the same call.
    onKeyRetirements: () => {},
    handFilterBy: care.handFilterBy,
    enforcement,
    rebuildFilter: care.rebuildFilter,
    close: async (endsAtMs) => {
      stopHeartbeat();
      await care.stop(closingTimeMs(clock, endsAtMs));
      await store.close();
    },
  };
}

/** The entries are audited if the start did not look at them. */
async function auditAfterStart(store: StatusStore, log: Log): Promise<void> {
  const sleep = (ms: number) => wait(ms, undefined, { ref: false });
  const audited = await auditUntilKnown({ audit: () => auditStore(store), log, sleep });
  if (audited === 'stopped') return;
  if (audited === 'unreadable') return condemn(store, log);
  const { sound, missingInFilter } = audited.found;
  if (sound) store.completeness.set(true);
  else condemn(store, log);
  const level = sound && missingInFilter === 0 ? 'info' : 'error';
  log(level, 'status store audited', { sound, missingInFilter });
}
