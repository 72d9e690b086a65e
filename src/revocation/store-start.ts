/**
 * What happens to the store once, at start: it is made, surveyed as a whole, and rid of expired reinstatements.
 *
 * An entry that holds something against its card never leaves the store, whatever expiry it names: for a credential
 * out of date it costs some 225 bytes of disk and changes no answer. The filter, which costs memory, may do without
 * it (`filter-horizon.ts`). A reinstated card is answered alike with its entry and without: that alone may go.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncDirectory } from '../sync-directory.ts';
import { createFilter, type FilterWriter, noteLeftOut } from './bloom-filter.ts';
import { HASH_BYTES } from './card-hash.ts';
import type { DeploymentSecret } from './deployment-secret.ts';
import { mayBeLeftOut } from './filter-horizon.ts';
import { FIRST_GENERATION, newEpoch } from './shared/epoch.ts';
import type { WantedFilter } from './shared/filter-snapshot.ts';
import { openDatabase, type StatusDatabase, storeFiles } from './status-database.ts';
import { decodeEntry, ENTRY_BYTES, KEY_RETIRED, peekEntry, SUPERSEDED } from './status-entry.ts';
import { isLostMark } from './store-account.ts';
import { emptyDigest, foldEntry, sameDigest } from './store-digest.ts';
import {
  cardCount,
  emptyState,
  encodeHeader,
  encodeState,
  META_HEADER,
  META_STATE,
  STORE_SCHEMA_VERSION,
  type StoreState,
} from './store-state.ts';
import type { Transact } from './store-transaction.ts';

/** A reinstatement stays to be looked up for this long after its credential's expiry. */
const EXPIRY_MARGIN_MS = 86_400_000;
/** Entries dropped in one transaction, so that a purge never holds the store for long. */
const PURGE_TRANSACTION_ENTRIES = 2_000;
/** Entries dropped at one start; the rest follow at the next. Bounds memory and the time to ready. */
const PURGE_START_ENTRIES = 500_000;
/** Room for growth when the store already outgrew the configured capacity. */
const CAPACITY_HEADROOM = 1.25;

/**
 * Makes an empty store aside and renames it into place, so that under its name a store is always whole: an
 * empty or missing data file there is damage, never a first start that was interrupted.
 */
export async function createStoreIfAbsent(
  dir: string,
  secret: DeploymentSecret,
): Promise<'there' | 'made' | 'foreign'> {
  if (existsSync(storeFiles(dir).data)) return 'there';
  if (existsSync(dir) && readdirSync(dir).length > 0) return 'foreign';
  const aside = `${dir}.new`;
  rmSync(aside, { recursive: true, force: true });
  mkdirSync(aside, { recursive: true, mode: 0o700 });
  const db = openDatabase(aside, 'write');
  const epoch = newEpoch(FIRST_GENERATION);
  const header = {
    schemaVersion: STORE_SCHEMA_VERSION,
    fingerprint: Buffer.from(secret.fingerprint),
    epoch,
  };
  db.root.transactionSync(() => {
    db.meta.put(META_HEADER, encodeHeader(header));
    db.meta.put(META_STATE, encodeState(secret.entryMacKey, epoch, emptyState()));
  });
  await db.root.close();
  syncDirectory(aside);
  renameSync(aside, dir);
  syncDirectory(dirname(dir));
  return 'made';
}

export interface ExpiredEntry {
  readonly hash: Buffer;
  readonly entry: Buffer;
}

export type Survey =
  | {
      readonly ok: true;
      readonly filter: FilterWriter;
      /** Reinstatements alone. */
      readonly expired: readonly ExpiredEntry[];
      readonly expiredBefore: number;
    }
  | { readonly ok: false; readonly message: string };

/**
 * Looks every entry up once: compares counts and digest with the state record, fills the filter, and notes the
 * reinstatements that have expired.
 *
 * An entry is dropped only if it holds nothing against its card, and left out of the filter only then or if its
 * credential expired before `wanted.leftOutBefore`; on the word of its MAC, since either would make a card pass.
 */
export function surveyStore(
  db: StatusDatabase,
  state: StoreState,
  secret: DeploymentSecret,
  wanted: WantedFilter,
  wallMs: number,
): Survey {
  const { falsePositiveRate, leftOutBefore = 0 } = wanted;
  const capacity = Math.max(wanted.capacity, Math.ceil(cardCount(state) * CAPACITY_HEADROOM));
  const filter = createFilter({ falsePositiveRate, capacity });
  let leavesOut = false;
  // A clock that is ahead must not cut history short: the store's own last change bounds what "now" can be.
  const expiredBefore = (Math.min(wallMs, state.lastChangeMs) - EXPIRY_MARGIN_MS) / 1000;
  const digest = emptyDigest();
  const counts = { active: 0, suspended: 0, revoked: 0, [KEY_RETIRED]: 0, [SUPERSEDED]: 0 };
  const expired: ExpiredEntry[] = [];
  for (const database of [db.cards, db.retirements]) {
    for (const hash of database.getKeys({})) {
      // Each is looked up as a worker will: a damaged branch page can hide what walking the leaves still shows.
      const entry = database.get(hash);
      if (entry !== undefined && isLostMark(entry) && hash.length === HASH_BYTES) {
        filter.addUnshared(hash);
        continue;
      }
      if (hash.length !== HASH_BYTES || entry?.length !== ENTRY_BYTES) return DAMAGED;
      const { status, expiresAt } = peekEntry(entry);
      if (status === undefined || (status === KEY_RETIRED) !== (database === db.retirements)) return DAMAGED;
      foldEntry(digest, hash, entry, 1);
      counts[status]++;
      if (status === 'active') {
        if (decodeEntry(secret.entryMacKey, hash, entry) === undefined) return DAMAGED;
        if (expiresAt < expiredBefore && expired.length < PURGE_START_ENTRIES) {
          expired.push({ hash: Buffer.from(hash), entry: Buffer.from(entry) });
        }
      } else if (status !== KEY_RETIRED) {
        if (mayBeLeftOut(secret, hash, entry, leftOutBefore)) leavesOut = true;
        else filter.addUnshared(hash);
      }
    }
  }
  const adds =
    counts.active === state.reinstated &&
    counts.suspended === state.suspended &&
    counts.revoked === state.revoked &&
    counts[KEY_RETIRED] === state.retiredKeys &&
    counts[SUPERSEDED] === state.superseded;
  if (!adds || !sameDigest(digest, state.digest)) return DAMAGED;
  noteLeftOut(filter, leavesOut ? leftOutBefore : 0);
  return { ok: true, filter, expired, expiredBefore };
}

const DAMAGED: Survey = {
  ok: false,
  message: 'the entries are not those that were written; restore the store from a backup or another gateway',
};

/**
 * Drops expired reinstatements and their log records, in bounded transactions. A failure (a full disk) ends the
 * purge and harms nothing: every transaction leaves a store that adds up.
 *
 * @returns how many entries were dropped.
 */
export function purgeExpired(
  db: StatusDatabase,
  transact: Transact,
  survey: Extract<Survey, { ok: true }>,
): number {
  const { expired } = survey;
  let purged = 0;
  while (purged < expired.length) {
    const slice = expired.slice(purged, purged + PURGE_TRANSACTION_ENTRIES);
    const done = transact((state) => {
      for (const { hash, entry } of slice) {
        db.cards.removeSync(hash);
        foldEntry(state.digest, hash, entry, -1);
        state.reinstated--;
      }
      return { commit: true, value: undefined };
    });
    if (!done.ok) return purged;
    purged += slice.length;
  }
  if (purged > 0) purgeLog(db, transact, survey.expiredBefore);
  return purged;
}

/** Log records go with their entries: no record leaves of a card that still has one. */
function purgeLog(db: StatusDatabase, transact: Transact, expiredBefore: number): void {
  const stale: Buffer[] = [];
  for (const { key, value } of db.log.getRange({})) {
    const { expiresAt } = peekEntry(value.subarray(HASH_BYTES));
    const isGone = expiresAt < expiredBefore && !db.cards.doesExist(value.subarray(0, HASH_BYTES));
    if (isGone) stale.push(Buffer.from(key));
    if (stale.length === PURGE_START_ENTRIES) break;
  }
  for (let at = 0; at < stale.length; at += PURGE_TRANSACTION_ENTRIES) {
    const slice = stale.slice(at, at + PURGE_TRANSACTION_ENTRIES);
    const done = transact(() => {
      for (const key of slice) db.log.removeSync(key);
      return { commit: true, value: undefined };
    });
    if (!done.ok) return;
  }
}
