/**
 * Keeps the filter in force, and replaces it without a gap: a new one is built aside from the exact copy, every
 * change goes to both meanwhile, then the new one takes over. The old one is kept true until all workers have
 * acknowledged the new one.
 */
import type { BackgroundWork } from './background-work.ts';
import { createFilter, type FilterParameters, type FilterReader, type FilterWriter } from './bloom-filter.ts';
import type { DeploymentSecret } from './deployment-secret.ts';
import { createPacer } from './pacer.ts';
import type { StatusDatabase } from './status-database.ts';
import { authenticFields, decodeEntry } from './status-entry.ts';

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
   * Builds a new filter of at least the configured capacity, and puts it in force here. One at a time.
   */
  rebuild(): Promise<Rebuild>;
}

export type Rebuild =
  | {
      readonly ok: true;
      /** To hand to the workers. */
      readonly shared: SharedArrayBuffer;
      /** To call when every worker reads the new filter: the old one is added to no more. */
      retire(): void;
    }
  | { readonly ok: false; readonly fault: 'busy' | 'stopped' | 'unreadable' };

export interface KeeperSource {
  readonly db: StatusDatabase;
  readonly secret: DeploymentSecret;
  readonly parameters: FilterParameters;
  readonly background: BackgroundWork;
  /** Cards whose status is not active, about. */
  heldCards(): number;
}

export function createFilterKeeper(first: FilterWriter, source: KeeperSource): FilterKeeper {
  const { background } = source;
  let current = first;
  /** All that have to learn of a change: in force, under construction, not yet left by all workers. */
  const live = new Set<FilterWriter>([first]);
  let building = false;

  const rebuild = async (): Promise<Rebuild> => {
    const wanted = Math.max(source.parameters.capacity, Math.ceil(source.heldCards() * GROWTH));
    const next = createFilter({ ...source.parameters, capacity: wanted });
    live.add(next);
    const filled = await fill(next, source, background);
    if (filled !== 'filled') {
      live.delete(next);
      return { ok: false, fault: filled };
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
    rebuild: async () => {
      if (building) return { ok: false, fault: 'busy' };
      building = true;
      try {
        return await background.run(rebuild);
      } finally {
        building = false;
      }
    },
  };
}

/**
 * Adds every card of the copy against which something is held, in slices. A card that changes behind the cursor
 * is added by whoever changes it.
 *
 * An expiry leaves nothing out: it is what a caller named, and a revocation must not be forgotten on a wrong one.
 */
async function fill(
  filter: FilterWriter,
  { db, secret }: KeeperSource,
  background: BackgroundWork,
): Promise<'filled' | 'stopped' | 'unreadable'> {
  const pacer = createPacer();
  let after: Buffer | undefined;
  for (;;) {
    if (background.stopping()) return 'stopped';
    const from = after === undefined ? {} : { start: after, exclusiveStart: true };
    let read = 0;
    try {
      db.root.resetReadTxn();
      for (const { key, value } of db.cards.getRange({ ...from, limit: READ_BATCH })) {
        read++;
        after = Buffer.from(key);
        // Left out only on the word of its MAC, since that makes the card pass.
        const isActive = value.length > 1 && authenticFields(value).status === 'active';
        if (isActive && decodeEntry(secret.entryMacKey, key, value) !== undefined) continue;
        // Nobody else has the new buffer yet.
        filter.addUnshared(key);
      }
    } catch {
      return 'unreadable';
    }
    if (read < READ_BATCH) return 'filled';
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
