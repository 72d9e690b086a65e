/**
 * Keeps the filter in force, and replaces it without a gap: a new one is built aside from the exact copy, every
 * change goes to both meanwhile, then the new one takes over. The old one is kept true until all workers have
 * acknowledged the new one.
 */
import type { RangeOptions, Transaction } from 'lmdb';
import type { BackgroundWork } from './background-work.ts';
import { createFilter, type FilterParameters, type FilterReader, type FilterWriter } from './bloom-filter.ts';
import type { Completeness } from './completeness.ts';
import type { DeploymentSecret } from './deployment-secret.ts';
import { createPacer } from './pacer.ts';
import type { StatusDatabase } from './status-database.ts';
import { authenticFields, decodeEntry, ENTRY_BYTES } from './status-entry.ts';
import { accountEntry, sameEntries } from './store-account.ts';
import { emptyState, type StoreState } from './store-state.ts';
import type { StoreResult } from './store-transaction.ts';

/** Room for growth beyond what a rebuild finds, so that rebuilds stay rare while entries come in. */
const GROWTH = 1.5;
/** Entries read between two looks at the clock: well below a millisecond. */
const READ_BATCH = 128;

export interface FilterKeeper {
  /**
   * Stands for the filter in force, whichever that is: reads ask it alone, additions go to every filter still in
   * use. `shared` is the buffer in force at that moment.
   */
  readonly filter: FilterWriter;
  /** Whether the filter holds more than it was sized for, so that its false positives exceed the target. */
  isOutgrown(): boolean;
  /**
   * Builds a new filter from the exact copy, of at least the configured capacity, and puts it in force here; one at
   * a time. Only from a copy that is complete and adds up: an entry that it lost must stay in the filter.
   *
   * @param base a filter to add the copy's cards to instead of an empty one, that holds at least what the copy may
   * lack: the shared log's snapshot, for a copy that is still catching up.
   */
  rebuild(base?: FilterWriter): Promise<Rebuild>;
}

export type Rebuild =
  | {
      readonly ok: true;
      /** To hand to the workers. */
      readonly shared: SharedArrayBuffer;
      /** To call when every worker reads the new filter: the old one is added to no more. */
      retire(): void;
    }
  | { readonly ok: false; readonly fault: 'busy' | FillFault };

/** `incomplete`: the copy may lack entries; `unsound`: its entries are not those that were written. */
type FillFault = 'incomplete' | 'unsound' | 'unreadable' | 'stopped';

export interface KeeperSource {
  readonly db: StatusDatabase;
  readonly secret: DeploymentSecret;
  readonly parameters: FilterParameters;
  readonly background: BackgroundWork;
  readonly completeness: Completeness;
  /** The state record in the snapshot of a read transaction. */
  stateIn(transaction: Transaction): StoreResult<StoreState>;
  /** Cards whose status is not active, about. */
  heldCards(): number;
}

export function createFilterKeeper(first: FilterWriter, source: KeeperSource): FilterKeeper {
  const { background } = source;
  let current = first;
  /** All that have to learn of a change: in force, under construction, not yet left by all workers. */
  const live = new Set<FilterWriter>([first]);
  let building = false;

  const rebuild = async (base: FilterWriter | undefined): Promise<Rebuild> => {
    if (base === undefined && !source.completeness.isComplete()) return { ok: false, fault: 'incomplete' };
    const capacity = Math.max(source.parameters.capacity, Math.ceil(source.heldCards() * GROWTH));
    const next = base ?? createFilter({ ...source.parameters, capacity });
    live.add(next);
    const fault = await fillFrom(source, next, base === undefined);
    if (fault !== undefined) {
      live.delete(next);
      return { ok: false, fault };
    }
    const old = current;
    current = next;
    return { ok: true, shared: next.shared, retire: () => void live.delete(old) };
  };

  return {
    filter: facade(
      () => current,
      (hash) => {
        for (const filter of live) filter.add(hash);
      },
    ),
    isOutgrown: () => current.entries() > current.capacity,
    rebuild: async (base) => {
      if (building) return { ok: false, fault: 'busy' };
      building = true;
      try {
        return await background.run(() => rebuild(base));
      } finally {
        building = false;
      }
    },
  };
}

/**
 * Adds every card of the copy against which something is held, as of one snapshot, in slices; what changes
 * meanwhile is added by whoever changes it. With `checked`, only if the snapshot's entries add up to its state.
 *
 * An expiry leaves nothing out: it is what a caller named, and a revocation must not be forgotten on a wrong one.
 */
async function fillFrom(
  source: KeeperSource,
  filter: FilterWriter,
  checked: boolean,
): Promise<FillFault | undefined> {
  let transaction: Transaction | undefined;
  try {
    const { root } = source.db;
    root.resetReadTxn();
    transaction = root.useReadTransaction();
    const claimed = source.stateIn(transaction);
    const found = await fillIn(source, filter, transaction);
    if (found === undefined) return 'stopped';
    return checked && !(claimed.ok && sameEntries(claimed.value, found)) ? 'unsound' : undefined;
  } catch {
    return 'unreadable';
  } finally {
    transaction?.done();
  }
}

/** What the entries add up to; `undefined` when the store is being closed. */
async function fillIn(
  { db, secret, background }: KeeperSource,
  filter: FilterWriter,
  transaction: Transaction,
): Promise<StoreState | undefined> {
  const pacer = createPacer();
  const found = emptyState();
  for (const { key, value } of db.retirements.getRange({ transaction })) accountEntry(found, key, value, 1);
  let range: RangeOptions = { transaction, limit: READ_BATCH };
  for (;;) {
    if (background.stopping()) return undefined;
    let last: Buffer | undefined;
    let read = 0;
    for (const { key, value } of db.cards.getRange(range)) {
      read++;
      last = key;
      accountEntry(found, key, value, 1);
      // Left out only on the word of its MAC, since that makes the card pass.
      const isActive = value.length === ENTRY_BYTES && authenticFields(value).status === 'active';
      if (isActive && decodeEntry(secret.entryMacKey, key, value) !== undefined) continue;
      // No other thread has the new buffer yet.
      filter.addUnshared(key);
    }
    if (read < READ_BATCH || last === undefined) return found;
    range = { ...range, start: Buffer.from(last), exclusiveStart: true };
    if (pacer.spent()) await pacer.rest();
  }
}

function facade(current: () => FilterReader, add: (hash: Uint8Array) => void): FilterWriter {
  return {
    get shared() {
      return current().shared;
    },
    get bits() {
      return current().bits;
    },
    get hashes() {
      return current().hashes;
    },
    get capacity() {
      return current().capacity;
    },
    get falsePositiveRate() {
      return current().falsePositiveRate;
    },
    get memoryBytes() {
      return current().memoryBytes;
    },
    mightContain: (hash) => current().mightContain(hash),
    entries: () => current().entries(),
    fill: () => current().fill(),
    currentFalsePositiveRate: () => current().currentFalsePositiveRate(),
    add,
    addUnshared: add,
  };
}
