/**
 * What goes on beside the service: the filter's file is kept up, and a filter replaced that has become too small,
 * that holds too much of what has expired since, or that the operator wants made anew.
 */
import type { Log } from '../log.ts';
import type { FilterReader, FilterWriter } from '../revocation/bloom-filter.ts';
import type { RebuildFault } from '../revocation/filter-keeper.ts';
import { startFilterSaving } from '../revocation/filter-saving.ts';
import type { StatusStore } from '../revocation/status-store.ts';
import { settlesWithin } from '../workers/settles-within.ts';

interface CareTimings {
  readonly growthCheckMs: number;
  /** After the start, when there are other things to do; then at the interval. Each check looks at every entry. */
  readonly firstExpiryCheckMs: number;
  readonly expiryCheckMs: number;
  /** Workers that serve take a filter within a turn of their event loop, and one that hangs is replaced before. */
  readonly takenDeadlineMs: number;
}

const TIMINGS: CareTimings = {
  // Entries come in slowly against this; a rebuild over ten million takes some half a minute beside the service.
  growthCheckMs: 10_000,
  firstExpiryCheckMs: 10 * 60_000,
  expiryCheckMs: 24 * 3_600_000,
  takenDeadlineMs: 30_000,
};
/** Below this share of needless entries, or this number, a rebuild gains less than it costs. */
const SURPLUS_SHARE = 0.1;
const MIN_SURPLUS = 1_000;

/** Hands workers a new filter; resolves when every one of them reads it or is gone, however long that takes. */
export type HandFilter = (shared: SharedArrayBuffer) => Promise<void>;

/** A filter in figures. */
export interface FilterFigures {
  readonly entries: number;
  readonly capacity: number;
  readonly fill: number;
  readonly currentFalsePositiveRate: number;
}

export type FilterRebuild =
  | { readonly ok: true; readonly before: FilterFigures; readonly after: FilterFigures }
  /** `not-taken`: a worker still reads the one before, which is kept true until it does not. */
  | { readonly ok: false; readonly fault: RebuildFault | 'not-serving' | 'not-taken' };

export interface StoreCare {
  /** From now on the filter is replaced when that is due, and can be. */
  handFilterBy(hand: HandFilter): void;
  /** Puts the copy's cards on top of `base` and that in force, as soon as there are workers; false if it cannot. */
  replaceFilter(base: FilterWriter): Promise<boolean>;
  /** Makes the filter anew and has every worker read it. */
  rebuildFilter(): Promise<FilterRebuild>;
  /** Ends it and saves the filter a last time, within so long. */
  stop(withinMs: number): Promise<void>;
}

export function startStoreCare(store: StatusStore, log: Log, timings = TIMINGS): StoreCare {
  const stopSaving = startFilterSaving({
    store,
    onFault: (code) =>
      log('warn', "the filter's file was not written; the next start takes longer", { code }),
  });
  const timers: NodeJS.Timeout[] = [];
  let give: (hand: HandFilter) => void = () => {};
  const given = new Promise<HandFilter>((resolve) => {
    give = resolve;
  });
  let isGiven = false;
  let isHanding = false;
  const rebuild = async (base?: FilterWriter): Promise<FilterRebuild> => {
    const hand = await given;
    // Each filter that a worker may still read is memory, and a write a change: there are two at most.
    if (isHanding) return { ok: false, fault: 'busy' };
    const before = figuresOf(store.filter);
    const rebuilt = await store.filters.rebuild(base);
    if (!rebuilt.ok) return rebuilt;
    isHanding = true;
    const handed = hand(rebuilt.shared).then(() => {
      rebuilt.retire();
      isHanding = false;
    });
    if (!(await settlesWithin(handed, timings.takenDeadlineMs))) return { ok: false, fault: 'not-taken' };
    return { ok: true, before, after: figuresOf(store.filter) };
  };
  const every = (firstMs: number, ms: number, check: () => Promise<void>) => {
    const run = () => check().catch(() => log('error', 'the filter could not be rebuilt'));
    const first = setTimeout(() => {
      void run();
      timers.push(setInterval(run, ms).unref());
    }, firstMs);
    timers.push(first.unref());
  };
  return {
    replaceFilter: async (base) => (await rebuild(base)).ok,
    rebuildFilter: async () => {
      if (!isGiven) return { ok: false, fault: 'not-serving' };
      const rebuilt = await rebuild();
      if (rebuilt.ok) log('info', 'the filter was rebuilt as asked for', { ...rebuilt.after });
      else log('warn', 'the filter was not rebuilt as asked for', { fault: rebuilt.fault });
      return rebuilt;
    },
    handFilterBy: (hand) => {
      if (isGiven) return;
      isGiven = true;
      give(hand);
      const { growthCheckMs, firstExpiryCheckMs, expiryCheckMs } = timings;
      every(growthCheckMs, growthCheckMs, () => growFilter(store, log, rebuild));
      every(firstExpiryCheckMs, expiryCheckMs, () => ridFilterOfExpired(store, log, rebuild));
    },
    stop: async (withinMs) => {
      for (const timer of timers) clearTimeout(timer);
      await stopSaving(withinMs);
    },
  };
}

/** Whether so many needless entries among all of a filter's are worth a rebuild. */
function isWorthRebuilding(surplus: number, entries: number): boolean {
  return surplus >= MIN_SURPLUS && surplus > entries * SURPLUS_SHARE;
}

async function growFilter(store: StatusStore, log: Log, rebuild: () => Promise<FilterRebuild>) {
  if (!store.filters.isOutgrown() || !store.completeness.isComplete()) return;
  const rebuilt = await rebuild();
  if (rebuilt.ok) {
    log('info', 'the filter was rebuilt for more entries', { ...rebuilt.after });
  } else if (rebuilt.fault === 'not-taken') {
    log('error', 'the filter was rebuilt, and a worker does not take it');
  } else if (rebuilt.fault === 'unsound' || rebuilt.fault === 'unreadable') {
    // Else busy, or the store is being closed or mended: asked again at the next check.
    log('error', 'the filter has outgrown its size and cannot be rebuilt', { fault: rebuilt.fault });
  }
}

async function ridFilterOfExpired(store: StatusStore, log: Log, rebuild: () => Promise<FilterRebuild>) {
  if (!store.completeness.isComplete()) return;
  const surplus = await store.filters.surplus();
  if (surplus === undefined || !isWorthRebuilding(surplus, store.filter.entries())) return;
  const rebuilt = await rebuild();
  if (rebuilt.ok) log('info', 'the filter was rebuilt without what has expired', { ...rebuilt.after });
  else log('warn', 'the filter was not rid of what has expired', { fault: rebuilt.fault });
}

function figuresOf(filter: FilterReader): FilterFigures {
  return {
    entries: filter.entries(),
    capacity: filter.capacity,
    fill: filter.fill(),
    currentFalsePositiveRate: filter.currentFalsePositiveRate(),
  };
}
