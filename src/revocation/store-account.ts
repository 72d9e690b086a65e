/** How an entry counts in the state record: one place, for whatever writes or sums up entries. */
import { HASH_BYTES } from './card-hash.ts';
import { authenticFields, ENTRY_BYTES, KEY_RETIRED, SUPERSEDED } from './status-entry.ts';
import { foldEntry, sameDigest } from './store-digest.ts';
import type { StoreState } from './store-state.ts';

const COUNTERS = ['revoked', 'suspended', 'reinstated', 'retiredKeys', 'superseded'] as const;
const COUNTER_OF = {
  active: 'reinstated',
  suspended: 'suspended',
  revoked: 'revoked',
  [KEY_RETIRED]: 'retiredKeys',
  [SUPERSEDED]: 'superseded',
} as const;

/**
 * Counts an entry in (`sign` 1) or out (-1). Total over all bytes, so that damaged ones count in and out alike:
 * what has not the form of an entry counts as nothing.
 */
export function accountEntry(state: StoreState, hash: Buffer, entry: Buffer, sign: 1 | -1): void {
  if (hash.length !== HASH_BYTES || entry.length !== ENTRY_BYTES) return;
  foldEntry(state.digest, hash, entry, sign);
  const { status } = authenticFields(entry);
  if (status !== undefined) state[COUNTER_OF[status]] += sign;
}

/**
 * Stands in the place of an entry that bit rot took and that nobody could give back: it counts as nothing, and
 * reads as "cannot tell", since what stood there may have been a revocation.
 */
export const LOST_MARK: Buffer = Buffer.from([0]);

export function isLostMark(entry: Buffer): boolean {
  return entry.equals(LOST_MARK);
}

/** Whether two states account for the same entries. */
export function sameEntries(a: StoreState, b: StoreState): boolean {
  return COUNTERS.every((name) => a[name] === b[name]) && sameDigest(a.digest, b.digest);
}

/** Corrects `state` by what `found` differs from `claimed`: both as of one snapshot, `state` perhaps later. */
export function correctAccount(state: StoreState, claimed: StoreState, found: StoreState): void {
  for (const name of COUNTERS) state[name] += found[name] - claimed[name];
  for (const [i, word] of found.digest.entries()) {
    state.digest[i] = (state.digest[i] as number) + word - (claimed.digest[i] as number);
  }
}
