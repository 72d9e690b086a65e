/**
 * The audit of what a start by the filter's file did not look at. Until it is through, cards that the filter knows
 * and the store would clear are "cannot tell", so it must come to an end: what cannot be read is tried again, a few
 * times, and then the store is taken out of service like one whose entries are not those that were written.
 */
import type { Log } from '../log.ts';
import type { StatusStore } from '../revocation/status-store.ts';
import { withdrawFilterFile } from '../revocation/store-audit.ts';
import type { StoreResult } from '../revocation/store-transaction.ts';

/** Before each further try, about two minutes in all. */
const WAITS_MS = [1_000, 10_000, 100_000];

export interface StartAudit<T> {
  audit(): Promise<StoreResult<T>>;
  readonly log: Log;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/** What was found, `stopped` when the store is being closed or is another's, `unreadable` when no try succeeded. */
export async function auditUntilKnown<T>({
  audit,
  log,
  sleep,
}: StartAudit<T>): Promise<{ readonly found: T } | 'stopped' | 'unreadable'> {
  for (const waitMs of [...WAITS_MS, undefined]) {
    const audited = await audit();
    if (audited.ok) return { found: audited.value };
    const { fault, code } = audited;
    // A store that was taken or replaced is told of elsewhere, and not this process's to judge.
    if (code === 'STOPPED' || fault === 'taken-over' || fault === 'store-replaced') return 'stopped';
    log('error', 'the status store could not be audited', {
      fault,
      code: code ?? '',
      againInMs: waitMs ?? null,
    });
    if (waitMs !== undefined) await sleep(waitMs);
  }
  return 'unreadable';
}

/** The store vouches for nothing any more, and the next start looks at every entry and refuses it. */
export function condemn(store: StatusStore, log: Log): void {
  const withdrawn = withdrawFilterFile(store);
  store.condemn();
  if (withdrawn.ok) return;
  // The file itself was removed then, if the directory let it be; else the next start audits and condemns again.
  const { fault, code } = withdrawn;
  log('error', "the condemned store may still name its filter's file", { fault, code: code ?? '' });
}
