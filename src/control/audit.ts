/** Wiring of the audit trail of admin actions: in the data directory, under a key of its own. */
import { join } from 'node:path';
import { type AuditTrail, openAuditTrail } from '../audit/audit-trail.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { describeError, type Log } from '../log.ts';

export async function openAdminTrail(
  config: Pick<Config, 'dataDir' | 'auditDays'>,
  key: Uint8Array,
  clock: Clock,
  log: Log,
): Promise<{ ok: true; trail: AuditTrail } | { ok: false; error: string }> {
  const dir = join(config.dataDir, 'audit');
  try {
    const trail = await openAuditTrail({
      dir,
      name: 'admin',
      key,
      days: config.auditDays,
      wallMs: clock.wallMs,
      onFault: (code) => {
        if (code === undefined) log('info', 'the audit trail is written again');
        else
          log('error', 'the audit trail cannot be written: what would change something is refused', { code });
      },
    });
    return { ok: true, trail };
  } catch (error) {
    const { code } = describeError(error);
    return {
      ok: false,
      error: `VIGIE_DATA_DIR: ${dir}: the audit trail cannot be read (${code ?? 'failed'})`,
    };
  }
}
