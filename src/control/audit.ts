/** Wiring of the audit, in the data directory: the trail of admin actions, and the end of what is kept. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { removeOldFiles } from '../audit/audit-files.ts';
import { type AuditTrail, openAuditTrail } from '../audit/audit-trail.ts';
import { KEY_ENDING, VERIFICATIONS } from '../audit/day-keys.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { describeError, type Log } from '../log.ts';

export interface AuditSide {
  readonly trail: AuditTrail;
  close(): Promise<void>;
}

/** Files are looked through so often, whether anything was written or not: what is over has to go. */
const TIDY_INTERVAL_MS = 3_600_000;

export async function openAudit(
  config: Pick<Config, 'dataDir' | 'auditDays'>,
  key: Uint8Array,
  clock: Clock,
  log: Log,
): Promise<{ ok: true; audit: AuditSide } | { ok: false; error: string }> {
  const dir = join(config.dataDir, 'audit');
  const days = config.auditDays;
  let trail: AuditTrail;
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    trail = await openAuditTrail({
      dir,
      name: 'admin',
      key,
      days,
      wallMs: clock.wallMs,
      onFault: (code) => {
        if (code === undefined) log('info', 'the audit trail is written again');
        else
          log('error', 'the audit trail cannot be written: what would change something is refused', { code });
      },
    });
  } catch (error) {
    const { code } = describeError(error);
    return {
      ok: false,
      error: `VIGIE_DATA_DIR: ${dir}: the audit trail cannot be read (${code ?? 'failed'})`,
    };
  }
  const tidy = async (): Promise<void> => {
    try {
      // Keys first: without its key a line that stays for whatever reason names nobody.
      for (const ending of [KEY_ENDING, 'jsonl'])
        await removeOldFiles(dir, VERIFICATIONS, { days, wallMs: clock.wallMs(), ending });
      await trail.tidy();
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
      close: async () => {
        clearInterval(timer);
        await trail.close();
      },
    },
  };
}
