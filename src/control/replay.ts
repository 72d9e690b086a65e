/** The main thread's part of the replay guard: makes the table, sweeps it, and keeps the journal. */
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { type Config, LIMITS } from '../config.ts';
import { describeError, type Log } from '../log.ts';
import type { ReplayFacts } from '../metrics/replay-metrics.ts';
import type { SharedReplay } from '../replay/create-replay-guard.ts';
import { openProofJournal, type ProofJournal } from '../replay/proof-journal.ts';
import type { RedisProofsOptions } from '../replay/redis-proofs.ts';
import { allocateReplayTable, openReplayTable, usedPlaces } from '../replay/replay-table.ts';
import { createSweeping } from '../replay/sweeping.ts';
import { createTaking } from '../replay/taking.ts';
import type { DeploymentSecret } from '../revocation/deployment-secret.ts';
import { readRedisSettings } from './redis-settings.ts';
import { closingTimeMs } from './status-side.ts';

export interface ReplaySide {
  /** What workers are given. */
  readonly shared: SharedReplay;
  /** Writes down what a worker took. */
  noteTaken(notes: Uint8Array): void;
  facts(): ReplayFacts;
  close(endsAtMs: number): Promise<void>;
}

/** The whole table in so many steps, that is in ten seconds: in each a millisecond or so where it is full. */
const SWEEP_STEPS = 400;
const SWEEP_INTERVAL_MS = 25;

export function openReplay(parts: {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly secret: DeploymentSecret;
}): { readonly ok: true; readonly replay: ReplaySide } | { readonly ok: false; readonly error: string } {
  const { config, clock, log, secret } = parts;
  const redis = redisOf(config);
  if (redis?.ok === false) return redis;
  const table = openReplayTable(allocateReplayTable(config.replayEntries, clock.monotonicMs()));
  // As far as clocks may be apart elsewhere.
  const keepMs = LIMITS.clockSkewSeconds * 1000;
  let journal: ProofJournal;
  try {
    journal = openProofJournal({
      dir: join(config.dataDir, 'replay'),
      clock,
      keepMs,
      take: createTaking(table, clock, keepMs),
      onFailure: (error) => log('error', 'holder proofs are not written down', describeError(error)),
    });
  } catch (error) {
    return { ok: false, error: `VIGIE_DATA_DIR: the journal of proofs: ${(error as Error).message}` };
  }
  if (journal.restored > 0) log('info', 'holder proofs known from before', { proofs: journal.restored });
  const sweep = createSweeping(table, clock.monotonicMs);
  const step = Math.ceil(table.buckets / SWEEP_STEPS);
  const timer = setInterval(() => sweep(step), SWEEP_INTERVAL_MS).unref();
  return {
    ok: true,
    replay: {
      shared: { table: table.shared, key: secret.replayKey, keepMs, redis: redis?.options },
      noteTaken: journal.append,
      facts: () => ({
        entries: usedPlaces(table),
        capacity: table.capacity,
        journalFailures: journal.failures(),
      }),
      close: async (endsAtMs) => {
        clearInterval(timer);
        await journal.close(closingTimeMs(clock, endsAtMs));
      },
    },
  };
}

function redisOf(
  config: Config,
):
  | { readonly ok: true; readonly options: RedisProofsOptions }
  | { readonly ok: false; readonly error: string }
  | undefined {
  if (config.redisUrl === undefined) return undefined;
  const read = readRedisSettings(config.redisUrl, config);
  if (!read.ok) return { ok: false, error: read.errors.join('; ') };
  const { target, credentials, prefix } = read.settings;
  return { ok: true, options: { target, credentials, prefix, timeoutMs: config.replayTimeoutMs } };
}
