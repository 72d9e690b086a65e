/** What a gateway reads of its own disk and of its operators' files: a kind by the first byte of an input. */
import type { FuzzTarget } from '../fuzz-target.ts';
import { targetOf } from './input-part.ts';
import { openAudit, openCallers, openJournal } from './stored-files.ts';
import { openEntries, openFilters, openStates } from './stored-records.ts';

export async function openStatusFileTarget(): Promise<FuzzTarget> {
  return targetOf([
    openEntries(),
    openStates(),
    await openFilters(),
    openJournal(),
    openCallers(),
    await openAudit(),
  ]);
}
