/** Filling a filter from the exact copy, and counting what it needs: as of one snapshot, in slices, beside the service. */
import type { RangeOptions, Transaction } from 'lmdb';
import type { BackgroundWork } from './background-work.ts';
import { type FilterWriter, noteLeftOut } from './bloom-filter.ts';
import type { DeploymentSecret } from './deployment-secret.ts';
import { isHeld, mayBeLeftOut, seemsNeedless } from './filter-horizon.ts';
import { createPacer } from './pacer.ts';
import type { StatusDatabase } from './status-database.ts';
import { accountEntry, sameEntries } from './store-account.ts';
import { emptyState, type StoreState } from './store-state.ts';
import type { StoreResult } from './store-transaction.ts';

/** Entries read between two looks at the clock: well below a millisecond. */
const READ_BATCH = 128;

/** `unsound`: the copy's entries are not those that were written; `stopped`: the store is being closed. */
export type FillFault = 'unsound' | 'unreadable' | 'stopped';

export interface FillingSource {
  readonly db: StatusDatabase;
  readonly secret: DeploymentSecret;
  readonly background: BackgroundWork;
  /** The state record in the snapshot of a read transaction. */
  stateIn(transaction: Transaction): StoreResult<StoreState>;
  /** Cards expired before this instant (seconds since the epoch) may be left out. */
  leftOutBefore(state: StoreState): number;
}

/**
 * Adds every card of the copy that the filter must know; what changes meanwhile is added by whoever changes it. With
 * `checked`, only if the snapshot's entries add up to its state. On top of a filter that leaves cards out already
 * (not `checked`), no more are left out than that.
 */
export async function fillFrom(
  source: FillingSource,
  filter: FilterWriter,
  checked: boolean,
): Promise<FillFault | undefined> {
  const { db, secret } = source;
  return inSnapshot(source, async (transaction, claimed) => {
    const expiredBefore =
      checked && claimed !== undefined ? source.leftOutBefore(claimed) : filter.leftOutBefore();
    const found = emptyState();
    let leavesOut = !checked;
    for (const { key, value } of db.retirements.getRange({ transaction })) accountEntry(found, key, value, 1);
    const whole = await walkCards(source, transaction, (hash, entry) => {
      accountEntry(found, hash, entry, 1);
      // No other thread has the new buffer yet.
      if (!mayBeLeftOut(secret, hash, entry, expiredBefore)) filter.addUnshared(hash);
      else if (isHeld(entry)) leavesOut = true;
    });
    if (!whole) return 'stopped';
    // What lacks nobody's card is of use to every gateway, whatever grace it gives.
    noteLeftOut(filter, leavesOut ? expiredBefore : 0);
    return checked && !(claimed !== undefined && sameEntries(claimed, found)) ? 'unsound' : undefined;
  });
}

/** How many cards a filter made now would hold. */
export async function countNeeded(source: FillingSource): Promise<number | FillFault> {
  return inSnapshot(source, async (transaction, claimed) => {
    const expiredBefore = claimed === undefined ? 0 : source.leftOutBefore(claimed);
    let needed = 0;
    const whole = await walkCards(source, transaction, (_, entry) => {
      if (!seemsNeedless(entry, expiredBefore)) needed++;
    });
    return whole ? needed : 'stopped';
  });
}

async function inSnapshot<T>(
  source: FillingSource,
  work: (transaction: Transaction, claimed: StoreState | undefined) => Promise<T | FillFault>,
): Promise<T | FillFault> {
  let transaction: Transaction | undefined;
  try {
    const { root } = source.db;
    root.resetReadTxn();
    transaction = root.useReadTransaction();
    const claimed = source.stateIn(transaction);
    return await work(transaction, claimed.ok ? claimed.value : undefined);
  } catch {
    return 'unreadable';
  } finally {
    transaction?.done();
  }
}

/** Visits all cards of a snapshot in order; false when the store is being closed. */
async function walkCards(
  { db, background }: FillingSource,
  transaction: Transaction,
  visit: (hash: Buffer, entry: Buffer) => void,
): Promise<boolean> {
  const pacer = createPacer();
  let range: RangeOptions = { transaction, limit: READ_BATCH };
  for (;;) {
    if (background.stopping()) return false;
    let last: Buffer | undefined;
    let read = 0;
    for (const { key, value } of db.cards.getRange(range)) {
      read++;
      last = key;
      visit(key, value);
    }
    if (read < READ_BATCH || last === undefined) return true;
    range = { ...range, start: Buffer.from(last), exclusiveStart: true };
    if (pacer.spent()) await pacer.rest();
  }
}
