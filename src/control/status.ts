/** Wiring of the revocation side in the main thread: secret, store, changes, retirements, heartbeat. */
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { type Config, LIMITS } from '../config.ts';
import type { Log } from '../log.ts';
import { cardHash } from '../revocation/card-hash.ts';
import { loadOrCreateDeploymentSecret } from '../revocation/deployment-secret.ts';
import { forgetFilterFile } from '../revocation/filter-file.ts';
import { startFilterSaving } from '../revocation/filter-saving.ts';
import { createFreshness, type Freshness } from '../revocation/freshness.ts';
import { startHeartbeat } from '../revocation/heartbeat.ts';
import { createKeyRetirements, type KeyRetirements } from '../revocation/key-retirements.ts';
import { createStatusChanges, type StatusChanges } from '../revocation/status-changes.ts';
import type { StatusAnswer } from '../revocation/status-reader.ts';
import { openStatusStore, type StatusStore } from '../revocation/status-store.ts';
import { auditStore } from '../revocation/store-audit.ts';
import type { SharedRevocation } from '../workers/protocol.ts';

export interface StatusSide {
  readonly store: StatusStore;
  readonly changes: StatusChanges;
  readonly retirements: KeyRetirements;
  /** What workers are given. */
  readonly shared: SharedRevocation;
  view(): Freshness;
  statusOf(iss: string, jti: string): StatusAnswer;
  close(): Promise<void>;
}

export async function openStatus(
  config: Config,
  clock: Clock,
  log: Log,
): Promise<{ ok: true; status: StatusSide } | { ok: false; error: string }> {
  const dir = join(config.dataDir, 'status');
  const loaded = loadOrCreateDeploymentSecret({ file: config.secretFile, storeDir: dir });
  if (!loaded.ok) return { ok: false, error: `VIGIE_SECRET_FILE: ${loaded.message}` };
  for (const warning of loaded.warnings) log('warn', 'secret file', { warning });
  if (loaded.created) log('info', 'deployment secret made');
  const { secret } = loaded;

  const startedAtMs = clock.monotonicMs();
  const opened = await openStatusStore({
    dir,
    secret,
    clock,
    filter: { capacity: config.filterCapacity, falsePositiveRate: config.filterFalsePositiveRate },
    mapSizeBytes: config.statusMapBytes,
  });
  if (!opened.ok) return { ok: false, error: `VIGIE_DATA_DIR: ${opened.message}` };
  const { store } = opened;
  const { filter, identity, purged, start } = store;
  log('info', 'status store open', {
    entries: filter.entries(),
    purged,
    startedBy: start.by,
    ...(start.by === 'file' ? { replayed: start.replayed } : { filterFile: start.fileRefused }),
    tookMs: Math.round(clock.monotonicMs() - startedAtMs),
  });

  const freshness = createFreshness(clock, {
    staleAfterMs: LIMITS.revocationStaleMs,
    expireAfterMs: config.revocationMaxAgeSeconds * 1000,
  });
  const stopHeartbeat = startHeartbeat({
    store,
    freshness,
    clock,
    onFault: (fault) => {
      if (fault === undefined) log('info', 'the status store vouches for itself again');
      else log('error', 'the status store cannot be vouched for; status changes answer 503', { fault });
    },
  });
  const stopCare = startStoreCare(store, log);
  return {
    ok: true,
    status: {
      store,
      changes: createStatusChanges({
        store,
        freshness,
        clock,
        massChangeLimit: config.massChangeLimit,
        massChangeWindowMs: LIMITS.massChangeWindowMs,
        maxIdempotencyAnswers: config.idempotencyMaxKeys,
      }),
      retirements: createKeyRetirements({ store, freshness, clock }),
      shared: {
        filter: filter.shared,
        freshness: freshness.shared,
        completeness: store.completeness.shared,
        dir,
        identity,
        secret,
      },
      view: freshness.read,
      statusOf: (iss, jti) => {
        const hash = cardHash(secret.cardHashKey, iss, jti);
        return filter.mightContain(hash) ? store.statusOf(hash) : { status: 'active' };
      },
      close: async () => {
        stopHeartbeat();
        await stopCare();
        await store.close();
      },
    },
  };
}

/**
 * What goes on beside the service: the entries are audited if the start did not look at them, and the filter's
 * file is kept up. The function returned saves it a last time.
 */
function startStoreCare(store: StatusStore, log: Log): () => Promise<void> {
  if (store.start.by === 'file') void auditAfterStart(store, log);
  return startFilterSaving({
    store,
    onFault: (code) =>
      log('warn', "the filter's file was not written; the next start takes longer", { code }),
  });
}

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
