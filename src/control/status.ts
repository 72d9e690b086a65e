/** Wiring of the revocation side in the main thread: secret, store, changes, retirements, heartbeat. */
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { type Config, LIMITS } from '../config.ts';
import type { Log } from '../log.ts';
import { cardHash } from '../revocation/card-hash.ts';
import { loadOrCreateDeploymentSecret } from '../revocation/deployment-secret.ts';
import { createFreshness, type Freshness } from '../revocation/freshness.ts';
import { startHeartbeat } from '../revocation/heartbeat.ts';
import { createKeyRetirements, type KeyRetirements } from '../revocation/key-retirements.ts';
import { createStatusChanges, type StatusChanges } from '../revocation/status-changes.ts';
import type { StatusAnswer } from '../revocation/status-reader.ts';
import { openStatusStore, type StatusStore } from '../revocation/status-store.ts';
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
  const { filter, identity, purged } = store;
  log('info', 'status store open', {
    entries: filter.entries(),
    purged,
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
      shared: { filter: filter.shared, freshness: freshness.shared, dir, identity, secret },
      view: freshness.read,
      statusOf: (iss, jti) => store.statusOf(cardHash(secret.cardHashKey, iss, jti)),
      close: async () => {
        stopHeartbeat();
        await store.close();
      },
    },
  };
}
