/**
 * The gateway's durable, exact copy of the status data, as the main thread holds it: the only writer.
 *
 * Invariants: what a transaction acknowledged is on disk, in the very files named by `identity`; sequence
 * numbers are contiguous; the state record adds up to the entries; one process at a time writes (a second one
 * that opens the store takes it over, and the first notices before it acknowledges anything more).
 */
import { randomBytes } from 'node:crypto';
import { chmodSync } from 'node:fs';
import type { Transaction } from 'lmdb';
import type { Clock } from '../clock.ts';
import { type BackgroundWork, createBackgroundWork } from './background-work.ts';
import type { FilterParameters, FilterWriter } from './bloom-filter.ts';
import { type ChangeMark, createChangeMark } from './change-mark.ts';
import { type CompletenessWriter, createCompleteness } from './completeness.ts';
import type { DeploymentSecret } from './deployment-secret.ts';
import {
  dropOtherFilterFiles,
  type FileRefusal,
  forgetFilterFile,
  loadFilter,
  META_FILTER,
} from './filter-file.ts';
import { leaveOutBefore } from './filter-horizon.ts';
import { createFilterKeeper, type FilterKeeper } from './filter-keeper.ts';
import {
  fillLockFile,
  openDatabase,
  padDataFile,
  type StatusDatabase,
  storeFiles,
  storeIdentity,
} from './status-database.ts';
import { readerOf, type StatusReader } from './status-reader.ts';
import { checkIn, codeOf, readState, type Session, transactIn } from './store-session.ts';
import { createStoreIfAbsent, purgeExpired, type Survey, surveyStore } from './store-start.ts';
import {
  decodeHeader,
  decodeState,
  isKnownSchema,
  META_HEADER,
  META_OWNER,
  META_RECONCILING,
  META_STATE,
  type StoreState,
  SUPERSEDE_SCHEMA_VERSION,
  schemaFor,
} from './store-state.ts';
import type { StoreResult, Transact } from './store-transaction.ts';
import { createSupersedeFlag, type SupersedeFlagWriter } from './supersede-flag.ts';

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
  /** This life of the log, 32 hexadecimal digits; another once the store speaks for another. */
  readonly epoch: string;
  /** Stands for the filter in force; see `FilterKeeper.filter`. */
  readonly filter: FilterWriter;
  readonly filters: FilterKeeper;
  /**
   * What the absence of an entry means. Complete from the start after a survey; after a start from the filter's
   * file, and during a reconciliation, whoever audits or reconciles the store says when.
   */
  readonly completeness: CompletenessWriter;
  /** Raised by whoever writes a supersede, before anybody hears that it holds; from the start where there may be one. */
  readonly supersedes: SupersedeFlagWriter;
  /** Moves with each change of the filter and of what is stored. */
  readonly changes: ChangeMark;
  /** How the filter came about: `survey` means that every entry was looked at; or why the file was of no use. */
  readonly start: StoreStart;
  /** Work that `close` waits for. */
  readonly background: BackgroundWork;
  /** A reconciliation with the shared log had begun and not ended when this store was opened. */
  readonly reconciling: boolean;
  /** Expired reinstatements dropped at this start; nothing else ever leaves. */
  readonly purged: number;
  /**
   * Runs `body` in one durable transaction; it may read and write `db` and change the state it is given, and
   * must not be asynchronous. On `ok: false` its writes hold wholly or not at all.
   */
  readonly transact: Transact;
  /** Are these still the files opened, is the store readable and still ours? Costs some 15 µs. */
  check(): StoreResult<StoreState>;
  /** The state record in the snapshot of a read transaction. */
  stateIn(transaction: Transaction): StoreResult<StoreState>;
  /** Has the store vouch for nothing any more: its entries are not those that were written. */
  condemn(): void;
  close(): Promise<void>;
}

export type StoreStart =
  | { readonly by: 'file'; readonly replayed: number }
  | { readonly by: 'survey'; readonly fileRefused: FileRefusal };

export interface StoreOptions {
  readonly dir: string;
  readonly secret: DeploymentSecret;
  readonly filter: FilterParameters;
  /** How long after its expiry a card may be left out of the filter; absent: never. See `filter-horizon.ts`. */
  readonly filterGraceMs?: number;
  readonly clock: Clock;
  readonly mapSizeBytes?: number;
  /**
   * Whether entries may leave at start. Not where several copies are compared by their digests: each would leave
   * others out.
   */
  readonly purge?: boolean;
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
  const { dir, secret } = options;
  const header = decodeHeader(db.meta.get(META_HEADER));
  if (header === undefined) return refusal('damaged', `${dir}: the store has no readable header`);
  if (!isKnownSchema(header.schemaVersion)) {
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
  const built = await buildFilter(db, header.epoch, state, options);
  if (!built.ok) return refusal('damaged', `${dir}: ${built.message}`);
  const changes = createChangeMark();
  const session: Session = {
    dir,
    db,
    secret,
    owner,
    identity,
    epoch: header.epoch,
    // The header has no MAC; the state has.
    schemaVersion: Math.max(header.schemaVersion, schemaFor(state)),
    changes,
    condemned: false,
  };
  const transact: Transact = (body) => transactIn(session, body);
  if (built.survey !== undefined) forgetRefusedFile(db, dir, transact);
  const purges = built.survey !== undefined && options.purge !== false;
  return {
    ok: true,
    store: storeOf(session, built, purges ? purgeExpired(db, transact, built.survey) : 0, options),
  };
}

type Built =
  | {
      readonly ok: true;
      readonly filter: FilterWriter;
      readonly start: StoreStart;
      readonly survey: Extract<Survey, { ok: true }> | undefined;
    }
  | { readonly ok: false; readonly message: string };

/** From its file if there is a good one, else by looking at every entry. */
async function buildFilter(
  db: StatusDatabase,
  epoch: Buffer,
  state: StoreState,
  options: StoreOptions,
): Promise<Built> {
  const { secret, clock } = options;
  const wanted = { ...options.filter, leftOutBefore: leftOutBeforeIn(options, state) };
  const loaded = await loadFilter(db, { ...options, epoch }, state, wanted);
  if (loaded.ok) {
    const { filter, replayed } = loaded;
    return { ok: true, filter, start: { by: 'file', replayed }, survey: undefined };
  }
  const survey = surveyStore(db, state, secret, wanted, clock.wallMs());
  if (!survey.ok) return survey;
  return { ok: true, filter: survey.filter, start: { by: 'survey', fileRefused: loaded.because }, survey };
}

function leftOutBeforeIn({ filterGraceMs = Infinity, clock }: StoreOptions, state: StoreState): number {
  return leaveOutBefore(filterGraceMs, clock.wallMs(), state.lastChangeMs);
}

/** A file that was of no use to this start would be of none to the next: as if there were none, it is made anew. */
function forgetRefusedFile(db: StatusDatabase, dir: string, transact: Transact): void {
  if (db.meta.get(META_FILTER) === undefined) return;
  const forgotten = transact(() => {
    forgetFilterFile(db);
    return { commit: true, value: undefined };
  });
  if (forgotten.ok) dropOtherFilterFiles(dir, undefined);
}

function storeOf(
  session: Session,
  built: Extract<Built, { ok: true }>,
  purged: number,
  options: StoreOptions,
): StatusStore {
  const { dir, db, secret, identity, changes } = session;
  const background = createBackgroundWork();
  const completeness = createCompleteness();
  const supersedes = createSupersedeFlag();
  // Not by the count alone: an entry that was given up as lost counts no more and may have been one.
  if (session.schemaVersion >= SUPERSEDE_SCHEMA_VERSION) supersedes.raise();
  const reconciling = db.meta.get(META_RECONCILING) !== undefined;
  completeness.set(built.survey !== undefined && !reconciling);
  const stateIn = (transaction: Transaction) => readState(session, transaction);
  const leftOutBefore = (state: StoreState) => leftOutBeforeIn(options, state);
  const source = {
    db,
    secret,
    parameters: options.filter,
    background,
    completeness,
    changes,
    stateIn,
    leftOutBefore,
  };
  const filters = createFilterKeeper(built.filter, source);
  return {
    ...readerOf(db, secret, completeness),
    dir,
    secret,
    db,
    identity,
    get epoch() {
      return session.epoch.toString('hex');
    },
    filter: filters.filter,
    filters,
    completeness,
    supersedes,
    changes,
    start: built.start,
    background,
    reconciling,
    purged,
    transact: (body) => transactIn(session, body),
    check: () => checkIn(session),
    stateIn,
    condemn: () => {
      session.condemned = true;
    },
    close: async () => {
      await background.stop();
      await db.root.close();
    },
  };
}

function refusal(fault: OpenFault, message: string): OpenOutcome {
  return { ok: false, fault, message };
}
