/** Wiring of the revocation side in the main thread: secret, store, and who keeps it: this gateway or a log. */
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { type Config, LIMITS } from '../config.ts';
import type { Log } from '../log.ts';
import {
  loadDeploymentSecret,
  loadOrCreateDeploymentSecret,
  type SecretOutcome,
} from '../revocation/deployment-secret.ts';
import { createFreshness } from '../revocation/freshness.ts';
import { openStatusStore } from '../revocation/status-store.ts';
import { createEmbeddedStatus } from './embedded-status.ts';
import { type RedisSettings, readRedisSettings } from './redis-settings.ts';
import { createSharedStatus } from './shared-status.ts';
import { graceMsOf, type StatusParts, type StatusSide } from './status-side.ts';

type Opened =
  | { readonly ok: true; readonly status: StatusSide }
  | { readonly ok: false; readonly error: string };

/** Alone, nobody can say what is missing: to serve by it might turn revoked cards valid. */
const HALF_A_COPY =
  'this copy of a shared log was being compared with it and may lack revocations; start it with VIGIE_REDIS_URL until ' +
  'it is whole, or with another data directory';

export async function openStatus(config: Config, clock: Clock, log: Log): Promise<Opened> {
  const redis = redisOf(config);
  if (redis?.ok === false) return redis;
  const dir = join(config.dataDir, 'status');
  const loaded = loadSecret(config, dir);
  if (!loaded.ok) return { ok: false, error: `VIGIE_SECRET_FILE: ${loaded.message}` };
  for (const warning of loaded.warnings) log('warn', 'secret file', { warning });
  if (loaded.created) log('info', 'deployment secret made');

  const startedAtMs = clock.monotonicMs();
  const opened = await openStatusStore({
    dir,
    secret: loaded.secret,
    clock,
    filter: { capacity: config.filterCapacity, falsePositiveRate: config.filterFalsePositiveRate },
    filterGraceMs: graceMsOf(config),
    mapSizeBytes: config.statusMapBytes,
    // Copies are compared by what they hold: none may leave out what others keep.
    purge: redis === undefined,
  });
  if (!opened.ok) return { ok: false, error: `VIGIE_DATA_DIR: ${opened.message}` };
  const { store } = opened;
  if (redis === undefined && store.reconciling) {
    await store.close();
    return { ok: false, error: `VIGIE_DATA_DIR: ${dir}: ${HALF_A_COPY}` };
  }
  const { filter, purged, start } = store;
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
  const parts: StatusParts = { config, clock, log, store, freshness };
  const status =
    redis === undefined ? createEmbeddedStatus(parts) : createSharedStatus(parts, redis.settings);
  return { ok: true, status };
}

function redisOf(
  config: Config,
): { readonly ok: true; readonly settings: RedisSettings } | Extract<Opened, { ok: false }> | undefined {
  if (config.redisUrl === undefined) return undefined;
  const read = readRedisSettings(config.redisUrl, config);
  return read.ok ? read : { ok: false, error: read.errors.join('; ') };
}

/** A secret made here would be foreign to every other gateway, so with a shared log it has to be given. */
function loadSecret({ redisUrl, secretFile }: Config, storeDir: string): SecretOutcome {
  if (redisUrl === undefined) return loadOrCreateDeploymentSecret({ file: secretFile, storeDir });
  const loaded = loadDeploymentSecret(secretFile);
  if (loaded.ok || loaded.fault !== 'missing') return loaded;
  return {
    ...loaded,
    message: `${loaded.message}; with VIGIE_REDIS_URL every gateway is given the same one`,
  };
}
