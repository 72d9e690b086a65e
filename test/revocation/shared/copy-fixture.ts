/** Copies over real stores in temporary directories. */
import type { Clock } from '../../../src/clock.ts';
import { createLmdbCopy, type LmdbCopyOptions } from '../../../src/revocation/shared/lmdb-copy.ts';
import type { StatusStore } from '../../../src/revocation/status-store.ts';
import { accountEntry } from '../../../src/revocation/store-account.ts';
import { emptyState, type StoreState } from '../../../src/revocation/store-state.ts';
import { openStore, testClock } from '../store-fixture.ts';

export async function openCopy(
  dir: string,
  options: Omit<LmdbCopyOptions, 'store'> = {},
  clock: Clock = testClock(),
) {
  const store = await openStore(dir, clock);
  return { store, copy: createLmdbCopy({ store, ...options }) };
}

/** Counts and digest of what stands in the tables, from the entries themselves. */
export function tally(store: StatusStore): StoreState {
  const state = emptyState();
  for (const table of [store.db.cards, store.db.retirements]) {
    for (const { key, value } of table.getRange({})) accountEntry(state, key, value, 1);
  }
  return state;
}
