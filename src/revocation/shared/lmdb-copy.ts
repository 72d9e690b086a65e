/**
 * A gateway's own copy of the shared log, on its status store (the contract stands in `replica-copy.ts`).
 *
 * Every way in goes through one transaction that keeps entries, counts and digest together; then the filter's
 * bits are set for all workers; then the call returns. Also when the commit failed, since it may hold all the
 * same: a bit too many costs a look, a bit too few would let a card pass.
 */
import { HASH_BYTES } from '../card-hash.ts';
import { forgetFilterFile } from '../filter-file.ts';
import { dropLogAfter, trimLog } from '../log-records.ts';
import { logKey, type StatusDatabase } from '../status-database.ts';
import {
  authenticFields,
  decodeEntry,
  ENTRY_BYTES,
  KEY_RETIRED,
  liftsFinal,
  SUPERSEDED,
} from '../status-entry.ts';
import type { StatusStore } from '../status-store.ts';
import { accountEntry, correctAccount, isLostMark, LOST_MARK } from '../store-account.ts';
import { type Audit, auditStore } from '../store-audit.ts';
import { codeOf } from '../store-session.ts';
import { META_RECONCILING, type StoreState } from '../store-state.ts';
import type { Decision, StoreResult } from '../store-transaction.ts';
import type { CopyHead, ReplicaCopy } from './replica-copy.ts';
import type { HashedEntry, LogRecord } from './shared-log.ts';
import { winner } from './winner.ts';

export interface LmdbCopyOptions {
  readonly store: StatusStore;
  /** Told the hashes (`issuerKeyHash`) of issuer keys as their retirement comes in. */
  readonly onRetiredKeys?: (hashes: readonly Buffer[]) => void;
  /** False as long as the filter may know of later changes than the copy: then a whole copy clears no card either. */
  readonly mayClear?: () => boolean;
}

export function createLmdbCopy(options: LmdbCopyOptions): ReplicaCopy {
  const { store } = options;
  const context: Context = { ...options, audited: store.start.by === 'survey' };
  return {
    head: () => headOf(store),
    entryOf: (hash) => entryOf(store, hash),
    apply: (records) => apply(context, records),
    beginReconciliation: () => beginReconciliation(store),
    merge: (entries) => merge(context, entries),
    quarantine: (hashes) => quarantine(store, hashes),
    entriesAfter: (hash, limit) => entriesAfter(store, hash, limit),
    adopt: (epoch, seq) => adopt(context, epoch, seq),
    // Who asks goes on meanwhile, and would wait for ever for an answer that never comes.
    audit: () =>
      audit(context).catch((error: unknown) => ({
        ok: false,
        fault: 'io-error',
        code: error instanceof Error ? error.name : 'unknown',
      })),
  };
}

interface Context extends LmdbCopyOptions {
  /** Every entry was looked at in this process's life, and what was wrong was put right. */
  audited: boolean;
}

function headOf(store: StatusStore): StoreResult<CopyHead> {
  const checked = store.check();
  if (!checked.ok) return checked;
  const state = checked.value;
  const whole = store.db.meta.get(META_RECONCILING) === undefined;
  return { ok: true, value: { epoch: Buffer.from(store.epoch, 'hex'), seq: state.seq, state, whole } };
}

/** As it stands. What may be missing, or is marked as lost, comes as bytes that no MAC fits: "cannot tell". */
function entryOf(store: StatusStore, hash: Buffer): StoreResult<Buffer | undefined> {
  const { db, completeness, filter } = store;
  try {
    db.root.resetReadTxn();
    const entry = db.cards.get(hash) ?? db.retirements.get(hash);
    if (entry !== undefined) return { ok: true, value: Buffer.from(entry) };
    const mayBeMissing = !completeness.isComplete() && filter.mightContain(hash);
    return { ok: true, value: mayBeMissing ? LOST_MARK : undefined };
  } catch (error) {
    return { ok: false, fault: 'io-error', code: codeOf(error) };
  }
}

/** What stops a batch of records: nothing of it is applied. */
type RecordFault = 'reconciling' | 'seq-gap' | 'malformed-entry' | 'revocation-final';

function apply(context: Context, records: readonly LogRecord[]): StoreResult<CopyHead> {
  const { store } = context;
  let written: readonly HashedEntry[] = [];
  const done = store.transact((state): Decision<RecordFault | undefined> => {
    if (store.db.meta.get(META_RECONCILING) !== undefined) return { commit: false, value: 'reconciling' };
    for (const record of records) {
      const fault = applyRecord(store, state, record);
      if (fault !== undefined) return { commit: false, value: fault };
    }
    trimLog(store.db, state.seq, records.length);
    written = records;
    return { commit: records.length > 0, value: undefined };
  });
  enforce(context, written);
  if (!done.ok) return done;
  if (done.value !== undefined) return { ok: false, fault: 'damaged', code: done.value };
  return headOf(store);
}

function applyRecord(store: StatusStore, state: StoreState, record: LogRecord): RecordFault | undefined {
  const { db } = store;
  const { seq, hash, entry } = record;
  if (!isWellFormed(record)) return 'malformed-entry';
  if (seq !== state.seq + 1 || authenticFields(entry).seq !== seq) return 'seq-gap';
  const old = tableOf(db, entry).get(hash);
  const isLater = old?.length !== ENTRY_BYTES || authenticFields(old).seq < seq;
  if (isLater && liftsFinal(old, entry)) return 'revocation-final';
  // Else a reconciliation brought what this record or a later one says, and it stays.
  if (isLater || !isAuthentic(store, hash, old)) replaceEntry(db, state, record, old);
  db.log.putSync(logKey(seq), Buffer.concat([hash, entry]));
  state.seq = seq;
  return undefined;
}

function beginReconciliation(store: StatusStore): StoreResult<void> {
  const done = store.transact(() => {
    store.db.meta.putSync(META_RECONCILING, Buffer.from([1]));
    return { commit: true, value: undefined };
  });
  // Whether or not it was committed: the caller has found that the copy lacks something.
  store.completeness.set(false);
  return done;
}

function merge(context: Context, entries: readonly HashedEntry[]): StoreResult<void> {
  const { store } = context;
  if (!entries.every(isWellFormed)) return { ok: false, fault: 'damaged', code: 'malformed-entry' };
  const written: HashedEntry[] = [];
  const done = store.transact((state) => {
    for (const incoming of entries) {
      const old = tableOf(store.db, incoming.entry).get(incoming.hash);
      if (old !== undefined && !replaces(store, incoming, old)) continue;
      replaceEntry(store.db, state, incoming, old);
      written.push(incoming);
    }
    // The log does not tell of these, so no file written before can lead up to them.
    if (written.length > 0) forgetFilterFile(store.db);
    return { commit: written.length > 0, value: true };
  });
  enforce(context, written);
  if (!done.ok) return done;
  return done.value
    ? { ok: true, value: undefined }
    : { ok: false, fault: 'damaged', code: 'malformed-entry' };
}

/** Whether an incoming entry takes the place of the one there; against one that is damaged it always does. */
function replaces(store: StatusStore, { hash, entry }: HashedEntry, old: Buffer): boolean {
  if (old.equals(entry)) return false;
  return !isAuthentic(store, hash, old) || winner(old, entry) === entry;
}

function isAuthentic({ secret }: StatusStore, hash: Buffer, entry: Buffer): boolean {
  return decodeEntry(secret.entryMacKey, hash, entry) !== undefined;
}

function quarantine(store: StatusStore, hashes: readonly Buffer[]): StoreResult<void> {
  const { db } = store;
  // Before the commit, so that no worker finds the mark unasked for: its filter must send it there.
  for (const hash of hashes) store.filter.add(hash);
  return store.transact((state) => {
    for (const hash of hashes) {
      for (const table of [db.cards, db.retirements]) {
        const old = table.get(hash);
        if (old === undefined || isLostMark(old) || isAuthentic(store, hash, old)) continue;
        accountEntry(state, hash, old, -1);
        table.putSync(hash, LOST_MARK);
      }
    }
    // The log does not tell of marks, so no file written before can lead up to them.
    forgetFilterFile(db);
    return { commit: true, value: undefined };
  });
}

function entriesAfter(
  store: StatusStore,
  hash: Buffer | undefined,
  limit: number,
): StoreResult<readonly HashedEntry[]> {
  const { db } = store;
  const range = hash === undefined ? {} : { start: hash, exclusiveStart: true };
  try {
    db.root.resetReadTxn();
    const found: HashedEntry[] = [];
    for (const table of [db.cards, db.retirements]) {
      let taken = 0;
      for (const { key, value } of table.getRange(range)) {
        if (isLostMark(value)) continue;
        found.push({ hash: Buffer.from(key), entry: Buffer.from(value) });
        if (++taken === limit) break;
      }
    }
    found.sort((a, b) => Buffer.compare(a.hash, b.hash));
    return { ok: true, value: found.slice(0, limit) };
  } catch (error) {
    return { ok: false, fault: 'io-error', code: codeOf(error) };
  }
}

function adopt(context: Context, epoch: Buffer, seq: number): StoreResult<CopyHead> {
  const { store } = context;
  const { db } = store;
  const done = store.transact((state) => {
    // Records of another life beyond this point would one day be taken for this one's.
    dropLogAfter(db, seq);
    forgetFilterFile(db);
    db.meta.removeSync(META_RECONCILING);
    state.seq = seq;
    return { commit: true, value: undefined, epoch };
  });
  if (!done.ok) return done;
  store.completeness.set(context.audited && context.mayClear?.() !== false);
  return headOf(store);
}

/**
 * Audits; if the entries are not those that were written, has the state record say what is there and marks the
 * copy as one to be reconciled, which brings back what it can and sets the rest aside (`quarantine`).
 */
async function audit(context: Context): Promise<StoreResult<{ readonly sound: boolean }>> {
  const { store } = context;
  const audited = await auditStore(store);
  if (!audited.ok) return audited;
  const { sound } = audited.value;
  if (!sound) {
    const repaired = correctCopy(store, audited.value);
    if (!repaired.ok) return repaired;
  }
  context.audited = true;
  const isWhole = store.db.meta.get(META_RECONCILING) === undefined;
  if (sound && isWhole && context.mayClear?.() !== false) store.completeness.set(true);
  return { ok: true, value: { sound } };
}

function correctCopy(store: StatusStore, { claimed, found }: Audit): StoreResult<void> {
  const corrected = store.transact((state) => {
    correctAccount(state, claimed, found);
    forgetFilterFile(store.db);
    store.db.meta.putSync(META_RECONCILING, Buffer.from([1]));
    return { commit: true, value: undefined };
  });
  store.completeness.set(false);
  return corrected;
}

/** In a transaction: puts an entry in the place of `old`, and accounts for both. */
function replaceEntry(
  db: StatusDatabase,
  state: StoreState,
  { hash, entry }: HashedEntry,
  old: Buffer | undefined,
): void {
  if (old !== undefined) accountEntry(state, hash, old, -1);
  accountEntry(state, hash, entry, 1);
  state.lastChangeMs = Math.max(state.lastChangeMs, authenticFields(entry).sinceMs);
  tableOf(db, entry).putSync(hash, entry);
}

/** Makes written entries known: cards to every worker, keys to whoever judges by them. */
function enforce({ store, onRetiredKeys }: Context, written: readonly HashedEntry[]): void {
  const retired: Buffer[] = [];
  for (const { hash, entry } of written) {
    const { status } = authenticFields(entry);
    if (status === SUPERSEDED) store.supersedes.raise();
    if (status === KEY_RETIRED) retired.push(hash);
    else if (status !== 'active') store.filter.add(hash);
  }
  if (retired.length > 0) onRetiredKeys?.(retired);
}

function tableOf(db: StatusDatabase, entry: Buffer): StatusDatabase['cards'] {
  return authenticFields(entry).status === KEY_RETIRED ? db.retirements : db.cards;
}

function isWellFormed({ hash, entry }: HashedEntry): boolean {
  return (
    hash.length === HASH_BYTES && entry.length === ENTRY_BYTES && authenticFields(entry).status !== undefined
  );
}
