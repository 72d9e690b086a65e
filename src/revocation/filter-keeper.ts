/**
 * Keeps the filter in force, and replaces it without a gap: a new one is built aside from the exact copy, every
 * change goes to both meanwhile, then the new one takes over. The old one is kept true until all workers have
 * acknowledged the new one.
 */
import { createFilter, type FilterParameters, type FilterReader, type FilterWriter } from './bloom-filter.ts';
import type { ChangeMarkWriter } from './change-mark.ts';
import type { Completeness } from './completeness.ts';
import { countNeeded, type FillFault, type FillingSource, fillFrom } from './filter-filling.ts';

/** Room for growth beyond what a rebuild finds, so that rebuilds stay rare while entries come in. */
const GROWTH = 1.5;

export interface FilterKeeper {
  /**
   * Stands for the filter in force, whichever that is: reads ask it alone, additions go to every filter still in
   * use. `shared` is the buffer in force at that moment.
   */
  readonly filter: FilterWriter;
  /** Whether the filter holds more than it was sized for, so that its false positives exceed the target. */
  isOutgrown(): boolean;
  /**
   * How many cards the filter knows that one made now would not: expired or reinstated since. Looks at every entry,
   * about half a second of this thread for a million, in slices; `undefined` when it could not.
   */
  surplus(): Promise<number | undefined>;
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
  | { readonly ok: false; readonly fault: RebuildFault };

/** `busy`: one is under way; `incomplete`: the copy may lack entries. */
export type RebuildFault = 'busy' | 'incomplete' | FillFault;

export interface KeeperSource extends FillingSource {
  readonly parameters: FilterParameters;
  readonly completeness: Completeness;
  readonly changes: ChangeMarkWriter;
}

export function createFilterKeeper(first: FilterWriter, source: KeeperSource): FilterKeeper {
  const { background } = source;
  let current = first;
  /** All that have to learn of a change: in force, under construction, not yet left by all workers. */
  const live = new Set<FilterWriter>([first]);
  let building = false;

  const rebuild = async (base: FilterWriter | undefined): Promise<Rebuild> => {
    if (base === undefined && !source.completeness.isComplete()) return { ok: false, fault: 'incomplete' };
    const next = base ?? (await createSized(source));
    if (typeof next === 'string') return { ok: false, fault: next };
    live.add(next);
    const filled = await fillFrom(source, next, base === undefined);
    // Asked again: an audit may meanwhile have found that the copy lacks what its state record no longer counts.
    const isLacking = base === undefined && !source.completeness.isComplete();
    const fault = filled ?? (isLacking ? 'incomplete' : undefined);
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
        source.changes.move();
      },
    ),
    isOutgrown: () => current.entries() > current.capacity,
    surplus: () =>
      background.run(async () => {
        const needed = await countNeeded(source);
        return typeof needed === 'number' ? Math.max(0, current.entries() - needed) : undefined;
      }),
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

/** An empty filter with room for what the copy needs now, and for some growth. */
async function createSized(source: KeeperSource): Promise<FilterWriter | FillFault> {
  const { parameters } = source;
  const needed = await countNeeded(source);
  if (typeof needed !== 'number') return needed;
  return createFilter({ ...parameters, capacity: Math.max(parameters.capacity, Math.ceil(needed * GROWTH)) });
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
    leftOutBefore: () => current().leftOutBefore(),
    add,
    addUnshared: add,
  };
}
