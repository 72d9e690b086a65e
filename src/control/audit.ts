/** Wiring of the audit, in the data directory: the trail of admin actions, and the end of what is kept. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type AuditTrail, openAuditTrail } from '../audit/audit-trail.ts';
import { openRetention, type Retention } from '../audit/retention.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { describeError, type Log } from '../log.ts';
import { closingTimeMs } from './status-side.ts';

/** Begins the names of the trail's files. */
const NAME = 'admin';

export interface AuditSide {
  readonly trail: AuditTrail;
  close(endsAtMs: number): Promise<void>;
}

/** Files are looked through so often, whether anything was written or not: what is over has to go. */
const TIDY_INTERVAL_MS = 3_600_000;

/** Given to the trail's end: others need some of the time that is left as well, and a healthy disk needs some in any case. */
const CLOSE_TIMEOUT_MS = { least: 200, most: 1_000 };

export async function openAudit(
  config: Pick<Config, 'dataDir' | 'auditDays'>,
  key: Uint8Array,
  clock: Clock,
  log: Log,
): Promise<{ ok: true; audit: AuditSide } | { ok: false; error: string }> {
  const dir = join(config.dataDir, 'audit');
  const days = config.auditDays;
  let trail: AuditTrail;
  let retention: Retention;
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    trail = await openAuditTrail({
      dir,
      name: NAME,
      key,
      days,
      wallMs: clock.wallMs,
      onFault: (code) => {
        if (code === undefined) log('info', 'the audit trail is written again');
        else
          log('error', 'the audit trail cannot be written: what would change something is refused', { code });
      },
    });
    retention = await openRetention({ dir, name: NAME, days, trail, wallMs: clock.wallMs });
  } catch (error) {
    const { code } = describeError(error);
    return {
      ok: false,
      error: `VIGIE_DATA_DIR: ${dir}: the audit trail cannot be read (${code ?? 'failed'})`,
    };
  }
  const tidy = async (): Promise<void> => {
    try {
      const believed = await retention.tidy();
      if (believed !== undefined)
        log('error', 'the clock is too far ahead: no file of the audit is removed until a restart', {
          believed,
        });
    } catch (error) {
      log('error', 'files of the audit whose days are over cannot be removed', describeError(error));
    }
  };
  await tidy();
  const timer = setInterval(() => void tidy(), TIDY_INTERVAL_MS).unref();
  return {
    ok: true,
    audit: {
      trail,
      close: async (endsAtMs) => {
        clearInterval(timer);
        const leftMs = closingTimeMs(clock, endsAtMs);
        const { least, most } = CLOSE_TIMEOUT_MS;
        if (await trail.close(Math.max(least, Math.min(most, leftMs)))) return;
        log('error', 'the audit trail still waits for its disk: the gateway ends without it');
      },
    },
  };
}
