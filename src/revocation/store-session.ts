/** Transactions on an open store: each on the files opened, by their owner, from a state record that holds. */
import { ABORT, type Transaction } from 'lmdb';
import type { ChangeMarkWriter } from './change-mark.ts';
import type { DeploymentSecret } from './deployment-secret.ts';
import { type StatusDatabase, storeIdentity } from './status-database.ts';
import {
  decodeHeader,
  decodeState,
  encodeHeader,
  encodeState,
  isKnownSchema,
  META_HEADER,
  META_OWNER,
  META_STATE,
  type StoreState,
  schemaFor,
} from './store-state.ts';
import type { Decision, StoreResult } from './store-transaction.ts';

/** What one opening of the store stays bound to. */
export interface Session {
  readonly dir: string;
  readonly db: StatusDatabase;
  readonly secret: DeploymentSecret;
  readonly owner: Buffer;
  readonly identity: string;
  /** As last read: a transaction may change it, and its commit may fail and hold all the same. */
  epoch: Buffer;
  /** The same of the store's schema version, which only grows. */
  schemaVersion: number;
  /** Moves with each transaction, also with one that failed: it may hold all the same. */
  readonly changes: ChangeMarkWriter;
  condemned: boolean;
}

export function transactIn<T>(
  session: Session,
  body: (state: StoreState, epoch: Buffer) => Decision<T>,
): StoreResult<T> {
  const { db, dir, identity, secret } = session;
  if (storeIdentity(dir) !== identity) return { ok: false, fault: 'store-replaced' };
  const results: StoreResult<T>[] = [];
  try {
    // The callback must return nothing that has a `then`: lmdb-js would keep the transaction open for it.
    db.root.transactionSync(() => {
      const state = readState(session);
      if (!state.ok) {
        results.push(state);
        return ABORT;
      }
      const { commit, value, epoch = session.epoch } = body(state.value, session.epoch);
      results.push({ ok: true, value });
      if (!commit) return ABORT;
      const schemaVersion = Math.max(session.schemaVersion, schemaFor(state.value));
      if (!epoch.equals(session.epoch) || schemaVersion !== session.schemaVersion) {
        const fingerprint = Buffer.from(secret.fingerprint);
        db.meta.put(META_HEADER, encodeHeader({ schemaVersion, fingerprint, epoch }));
      }
      db.meta.put(META_STATE, encodeState(secret.entryMacKey, epoch, state.value));
      return undefined;
    });
  } catch (error) {
    return { ok: false, fault: 'io-error', code: codeOf(error) };
  } finally {
    session.changes.move();
  }
  // Replaced meanwhile: committed, but to files that nobody will open again.
  if (storeIdentity(dir) !== identity) return { ok: false, fault: 'store-replaced' };
  return results[0] as StoreResult<T>;
}

export function checkIn(session: Session): StoreResult<StoreState> {
  if (storeIdentity(session.dir) !== session.identity) return { ok: false, fault: 'store-replaced' };
  try {
    session.db.root.resetReadTxn();
    return readState(session);
  } catch (error) {
    return { ok: false, fault: 'io-error', code: codeOf(error) };
  }
}

/** The state record, if the store is still ours to speak for; `transaction`: in whose snapshot. */
export function readState(session: Session, transaction?: Transaction): StoreResult<StoreState> {
  const { db, secret, owner } = session;
  if (session.condemned) return { ok: false, fault: 'damaged' };
  const options = transaction && { transaction };
  const writer = db.meta.get(META_OWNER, options);
  if (writer === undefined) return { ok: false, fault: 'damaged' };
  if (!owner.equals(writer)) return { ok: false, fault: 'taken-over' };
  const header = decodeHeader(db.meta.get(META_HEADER, options));
  if (header === undefined || !isKnownSchema(header.schemaVersion)) return { ok: false, fault: 'damaged' };
  if (!header.fingerprint.equals(secret.fingerprint)) {
    return { ok: false, fault: 'damaged' };
  }
  const state = decodeState(secret.entryMacKey, header.epoch, db.meta.get(META_STATE, options));
  if (state === undefined) return { ok: false, fault: 'damaged' };
  if (transaction === undefined) {
    session.epoch = header.epoch;
    session.schemaVersion = header.schemaVersion;
  }
  return { ok: true, value: state };
}

/** The error's code or kind; its message stays out of logs. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return String((error as NodeJS.ErrnoException).code ?? error.name);
}
