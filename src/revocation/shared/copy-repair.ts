/** What is done about a copy whose entries are not those that were written. */
import { forgetFilterFile } from '../filter-file.ts';
import type { StatusDatabase } from '../status-database.ts';
import { decodeEntry } from '../status-entry.ts';
import type { StatusStore } from '../status-store.ts';
import { accountEntry, correctAccount } from '../store-account.ts';
import { type Audit, walkKeys } from '../store-audit.ts';
import { META_RECONCILING } from '../store-state.ts';
import type { StoreResult } from '../store-transaction.ts';

/** Damaged entries dropped in one transaction. */
const DROP_TRANSACTION_ENTRIES = 2_000;

/**
 * Brings a store that failed its audit to where a reconciliation can make it whole: the state record says what is
 * there, the copy is marked as not whole, and nothing in it is damaged. What is dropped stays in the filter, so
 * its card is "cannot tell" until the shared log has given the entry back.
 */
export async function repairCopy(store: StatusStore, { claimed, found }: Audit): Promise<StoreResult<void>> {
  const { db } = store;
  store.completeness.set(false);
  const corrected = store.transact((state) => {
    correctAccount(state, claimed, found);
    forgetFilterFile(db);
    db.meta.putSync(META_RECONCILING, Buffer.from([1]));
    return { commit: true, value: undefined };
  });
  if (!corrected.ok) return corrected;
  for (const table of [db.cards, db.retirements]) {
    const damaged: Buffer[] = [];
    const walked = await walkKeys(store, table, undefined, (hash) => {
      const entry = table.get(hash);
      if (entry !== undefined && !isAuthentic(store, hash, entry)) damaged.push(hash);
    });
    if (!walked) return { ok: false, fault: 'io-error', code: 'STOPPED' };
    for (let at = 0; at < damaged.length; at += DROP_TRANSACTION_ENTRIES) {
      const dropped = dropDamaged(store, table, damaged.slice(at, at + DROP_TRANSACTION_ENTRIES));
      if (!dropped.ok) return dropped;
    }
  }
  return { ok: true, value: undefined };
}

/** Drops those of the entries that are still damaged: a reconciliation may have replaced some meanwhile. */
function dropDamaged(
  store: StatusStore,
  table: StatusDatabase['cards'],
  hashes: readonly Buffer[],
): StoreResult<void> {
  return store.transact((state) => {
    for (const hash of hashes) {
      const entry = table.get(hash);
      if (entry === undefined || isAuthentic(store, hash, entry)) continue;
      accountEntry(state, hash, entry, -1);
      table.removeSync(hash);
    }
    return { commit: true, value: undefined };
  });
}

function isAuthentic({ secret }: StatusStore, hash: Buffer, entry: Buffer): boolean {
  return decodeEntry(secret.entryMacKey, hash, entry) !== undefined;
}
