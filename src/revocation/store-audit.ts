/**
 * Looks at every entry of a store in service and compares the whole with the state record, as of one snapshot:
 * what a start by survey does before it serves, done beside the service, in slices.
 */
import type { RangeOptions, Transaction } from 'lmdb';
import { HASH_BYTES } from './card-hash.ts';
import { dropOtherFilterFiles, forgetFilterFile } from './filter-file.ts';
import { mayBeLeftOut } from './filter-horizon.ts';
import { createPacer, SLICE_MS } from './pacer.ts';
import type { StatusDatabase } from './status-database.ts';
import { ENTRY_BYTES } from './status-entry.ts';
import type { StatusStore } from './status-store.ts';
import { accountEntry, sameEntries } from './store-account.ts';
import { emptyState, type StoreState } from './store-state.ts';
import type { StoreResult } from './store-transaction.ts';

/** As long idle as at work: an audit takes half a core at most. */
const REST_MS = SLICE_MS;
/** Entries looked up between two looks at the clock. */
const READ_BATCH = 128;

export interface Audit {
  /** What the entries add up to, in the snapshot audited. */
  readonly found: StoreState;
  /** What the state record said in the same snapshot. */
  readonly claimed: StoreState;
  /** The entries are those that were written. */
  readonly sound: boolean;
  /** Cards that the filter should know and did not. They have been added: to enforce them could not wait. */
  readonly missingInFilter: number;
}

/**
 * Audits the store; `io-error` with code STOPPED when the store is being closed.
 *
 * Holds one read transaction throughout: pages that changes free meanwhile are not used again until it ends.
 */
export function auditStore(store: StatusStore): Promise<StoreResult<Audit>> {
  return store.background.run(async () => {
    let transaction: Transaction | undefined;
    try {
      const { root } = store.db;
      root.resetReadTxn();
      transaction = root.useReadTransaction();
      const audited = await auditIn(store, transaction);
      // A file that lacks a card would clear it again at every start: the next one looks at every entry.
      if (audited.ok && audited.value.missingInFilter > 0) withdrawFilterFile(store);
      return audited;
    } catch (error) {
      return { ok: false, fault: 'io-error', code: error instanceof Error ? error.name : 'unknown' };
    } finally {
      transaction?.done();
    }
  });
}

/** No start is made from the filter's file any more; where the store cannot be told so, the file itself goes. */
export function withdrawFilterFile(store: StatusStore): StoreResult<void> {
  const forgotten = store.transact(() => {
    forgetFilterFile(store.db);
    return { commit: true, value: undefined };
  });
  if (!forgotten.ok) dropOtherFilterFiles(store.dir, undefined);
  return forgotten;
}

async function auditIn(store: StatusStore, transaction: Transaction): Promise<StoreResult<Audit>> {
  const { db, filter, secret } = store;
  const claimed = store.stateIn(transaction);
  if (!claimed.ok) return claimed;
  const found = emptyState();
  let missingInFilter = 0;
  const look = (table: StatusDatabase['cards'], hash: Buffer) => {
    // Looked up as a worker will: a damaged branch page can hide what walking the leaves still shows.
    const entry = table.get(hash, { transaction });
    if (entry === undefined) return;
    accountEntry(found, hash, entry, 1);
    const wellFormed = hash.length === HASH_BYTES && entry.length === ENTRY_BYTES;
    if (table === db.retirements || !wellFormed || filter.mightContain(hash)) return;
    if (mayBeLeftOut(secret, hash, entry, filter.leftOutBefore())) return;
    filter.add(hash);
    missingInFilter++;
  };
  for (const table of [db.cards, db.retirements]) {
    const walked = await walkKeys(store, table, transaction, (hash) => look(table, hash));
    if (!walked) return { ok: false, fault: 'io-error', code: 'STOPPED' };
  }
  // An older state record come back may know of none, and then nobody would ask for those that are there.
  if (found.superseded > 0) store.supersedes.raise();
  const sound = sameEntries(found, claimed.value);
  return { ok: true, value: { found, claimed: claimed.value, sound, missingInFilter } };
}

/**
 * Visits all keys of a table in order, in slices; without a transaction as they are at each slice. False when
 * the store is being closed.
 */
async function walkKeys(
  store: StatusStore,
  table: StatusDatabase['cards'],
  transaction: Transaction | undefined,
  visit: (hash: Buffer) => void,
): Promise<boolean> {
  const pacer = createPacer(REST_MS);
  let options: RangeOptions = { limit: READ_BATCH, ...(transaction && { transaction }) };
  for (;;) {
    if (store.background.stopping()) return false;
    if (transaction === undefined) store.db.root.resetReadTxn();
    const hashes: Buffer[] = [];
    for (const key of table.getKeys(options)) hashes.push(Buffer.from(key));
    for (const hash of hashes) visit(hash);
    if (hashes.length < READ_BATCH) return true;
    options = { ...options, start: hashes.at(-1) as Buffer, exclusiveStart: true };
    if (pacer.spent()) await pacer.rest();
  }
}
