/**
 * The gateway's durable, exact copy of the status data, as the main thread holds it: the only writer.
 *
 * Invariants: what a transaction acknowledged is on disk, in the very files named by `identity`; sequence
 * numbers are contiguous; the state record adds up to the entries; one process at a time writes (a second one
 * that opens the store takes it over, and the first notices before it acknowledges anything more).
 */
import { randomBytes } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { ABORT } from 'lmdb';
import type { Clock } from '../clock.ts';
import type { FilterParameters, FilterWriter } from './bloom-filter.ts';
import type { DeploymentSecret } from './deployment-secret.ts';
import {
  fillLockFile,
  openDatabase,
  padDataFile,
  type StatusDatabase,
  storeFiles,
  storeIdentity,
} from './status-database.ts';
import { readerOf, type StatusReader } from './status-reader.ts';
import { createStoreIfAbsent, purgeExpired, surveyStore } from './store-start.ts';
import {
  decodeHeader,
  decodeState,
  encodeState,
  META_HEADER,
  META_OWNER,
  META_STATE,
  STORE_SCHEMA_VERSION,
  type StoreState,
} from './store-state.ts';
import type { Decision, StoreResult, Transact } from './store-transaction.ts';

export type OpenFault = 'secret-mismatch' | 'unknown-schema' | 'damaged' | 'io-error';

export type OpenOutcome =
  | { readonly ok: true; readonly store: StatusStore }
  | { readonly ok: false; readonly fault: OpenFault; readonly message: string };

export interface StatusStore extends StatusReader {
  readonly dir: string;
  readonly secret: DeploymentSecret;
  readonly db: StatusDatabase;
  /** The files opened; workers must find the same (`openStatusReader`). */
  readonly identity: string;
  /** This life of the log, 32 hexadecimal digits. */
  readonly epoch: string;
  readonly filter: FilterWriter;
  /** Expired reinstatements dropped at this start; nothing else ever leaves. */
  readonly purged: number;
  /**
   * Runs `body` in one durable transaction; it may read and write `db` and change the state it is given, and
   * must not be asynchronous. On `ok: false` its writes hold wholly or not at all.
   */
  readonly transact: Transact;
  /** Are these still the files opened, is the store readable and still ours? Costs some 15 µs. */
  check(): StoreResult<StoreState>;
  close(): Promise<void>;
}

export interface StoreOptions {
  readonly dir: string;
  readonly secret: DeploymentSecret;
  readonly filter: FilterParameters;
  readonly clock: Clock;
  readonly mapSizeBytes?: number;
}

/** Opens the store, makes it if there is none, checks all of it, and builds the filter from it. */
export async function openStatusStore(options: StoreOptions): Promise<OpenOutcome> {
  const { dir, secret } = options;
  let db: StatusDatabase | undefined;
  try {
    const place = await createStoreIfAbsent(dir, secret);
    if (place === 'foreign') return refusal('damaged', `${dir}: not empty, and holds no status store`);
    chmodSync(dir, 0o700);
    const files = storeFiles(dir);
    if (!padDataFile(files.data))
      return refusal('damaged', `${files.data}: not a status store, or cut short`);
    db = openDatabase(dir, 'write', options.mapSizeBytes);
    fillLockFile(files.lock);
    const opened = await takeStore(db, options);
    if (!opened.ok) await db.root.close();
    return opened;
  } catch (error) {
    await db?.root.close();
    return refusal('io-error', `${dir}: cannot be opened (${codeOf(error)})`);
  }
}

/** Everything after the files are open: whose store is it, does it add up, take it, build the filter. */
async function takeStore(db: StatusDatabase, options: StoreOptions): Promise<OpenOutcome> {
  const { dir, secret, clock } = options;
  const header = decodeHeader(db.meta.get(META_HEADER));
  if (header === undefined) return refusal('damaged', `${dir}: the store has no readable header`);
  if (header.schemaVersion !== STORE_SCHEMA_VERSION) {
    return refusal('unknown-schema', `${dir}: schema version ${header.schemaVersion} is not known here`);
  }
  if (!header.fingerprint.equals(secret.fingerprint)) {
    return refusal('secret-mismatch', `${dir}: made under another secret than VIGIE_SECRET_FILE holds`);
  }
  // Taken before it is read: from here on no other process can add an entry that the filter would miss.
  const owner = randomBytes(16);
  db.root.transactionSync(() => {
    db.meta.put(META_OWNER, owner);
  });
  const identity = storeIdentity(dir);
  const state = decodeState(secret.entryMacKey, header.epoch, db.meta.get(META_STATE));
  if (state === undefined || identity === undefined) {
    return refusal('damaged', `${dir}: the store's state record is not authentic`);
  }
  const survey = surveyStore(db, state, secret, options.filter, clock.wallMs());
  if (!survey.ok) return refusal('damaged', `${dir}: ${survey.message}`);
  const session: Session = { dir, db, secret, epoch: header.epoch, owner, identity };
  const transact: Transact = (body) => transactIn(session, body);
  const store: StatusStore = {
    ...readerOf(db, secret),
    dir,
    secret,
    db,
    identity,
    epoch: header.epoch.toString('hex'),
    filter: survey.filter,
    purged: purgeExpired(db, transact, survey),
    transact,
    check: () => checkIn(session),
    close: () => db.root.close(),
  };
  return { ok: true, store };
}

/** What one opening of the store stays bound to. */
interface Session {
  readonly dir: string;
  readonly db: StatusDatabase;
  readonly secret: DeploymentSecret;
  readonly epoch: Buffer;
  readonly owner: Buffer;
  readonly identity: string;
}

function transactIn<T>(session: Session, body: (state: StoreState) => Decision<T>): StoreResult<T> {
  const { db, dir, identity, secret, epoch } = session;
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
      const { commit, value } = body(state.value);
      results.push({ ok: true, value });
      if (!commit) return ABORT;
      db.meta.put(META_STATE, encodeState(secret.entryMacKey, epoch, state.value));
      return undefined;
    });
  } catch (error) {
    return { ok: false, fault: 'io-error', code: codeOf(error) };
  }
  // Replaced meanwhile: committed, but to files that nobody will open again.
  if (storeIdentity(dir) !== identity) return { ok: false, fault: 'store-replaced' };
  return results[0] as StoreResult<T>;
}

function checkIn(session: Session): StoreResult<StoreState> {
  if (storeIdentity(session.dir) !== session.identity) return { ok: false, fault: 'store-replaced' };
  try {
    session.db.root.resetReadTxn();
    return readState(session);
  } catch (error) {
    return { ok: false, fault: 'io-error', code: codeOf(error) };
  }
}

/** The state record, if the store is still ours to speak for. */
function readState(session: Session): StoreResult<StoreState> {
  const { db, secret, epoch, owner } = session;
  const writer = db.meta.get(META_OWNER);
  if (writer === undefined) return { ok: false, fault: 'damaged' };
  if (!owner.equals(writer)) return { ok: false, fault: 'taken-over' };
  const state = decodeState(secret.entryMacKey, epoch, db.meta.get(META_STATE));
  return state === undefined ? { ok: false, fault: 'damaged' } : { ok: true, value: state };
}

function refusal(fault: OpenFault, message: string): OpenOutcome {
  return { ok: false, fault, message };
}

/** The error's code or kind; its message stays out of logs. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return String((error as NodeJS.ErrnoException).code ?? error.name);
}
