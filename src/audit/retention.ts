/**
 * How long the audit's files are kept. They go by the wall clock, which may be set wrong, and what is removed does not come
 * back: so nothing is removed while the clock is further beyond the last time at which it was believed than files are kept.
 */
import { auditFiles, dayBefore, dayOf, dayOfFile, removeOldFiles } from './audit-files.ts';
import type { AuditTrail } from './audit-trail.ts';
import { KEY_ENDING, VERIFICATIONS } from './day-keys.ts';

export interface RetentionOptions {
  readonly dir: string;
  /** Begins the names of the trail's files. */
  readonly name: string;
  /** Files of days before so many are removed. */
  readonly days: number;
  readonly trail: Pick<AuditTrail, 'tidy'>;
  /** Milliseconds since the epoch. */
  wallMs(): number;
}

export interface Retention {
  /**
   * Removes what is over, or nothing: then it resolves to the day after which the clock is not believed. Rejects with what
   * the file system says.
   */
  tidy(): Promise<string | undefined>;
}

/** At first the clock is held against the youngest file, and then, from time to time, against itself. */
export async function openRetention(options: RetentionOptions): Promise<Retention> {
  const { dir, name, days, trail, wallMs } = options;
  let believed = await youngestDay(dir, name);
  return {
    tidy: async () => {
      const nowMs = wallMs();
      // Lines that were written since prove nothing: they have the same clock.
      if (believed !== undefined && dayBefore(nowMs, days) > believed) return believed;
      believed = dayOf(nowMs);
      // Keys first: without its key a line that stays for whatever reason names nobody.
      for (const ending of [KEY_ENDING, 'jsonl'])
        await removeOldFiles(dir, VERIFICATIONS, { days, wallMs: nowMs, ending });
      await trail.tidy();
      return undefined;
    },
  };
}

/** `undefined`: nothing was written yet. */
async function youngestDay(dir: string, name: string): Promise<string | undefined> {
  const files = [
    ...(await auditFiles(dir, name)),
    ...(await auditFiles(dir, VERIFICATIONS)),
    ...(await auditFiles(dir, VERIFICATIONS, KEY_ENDING)),
  ];
  return files.map(dayOfFile).sort().at(-1);
}
