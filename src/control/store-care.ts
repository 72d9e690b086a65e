/** What goes on beside the service: the filter's file is kept up, and a filter that has become too small replaced. */
import type { Log } from '../log.ts';
import type { FilterWriter } from '../revocation/bloom-filter.ts';
import { startFilterSaving } from '../revocation/filter-saving.ts';
import type { StatusStore } from '../revocation/status-store.ts';

/** Entries come in slowly against this; a rebuild over ten million takes some half a minute beside the service. */
const GROWTH_CHECK_MS = 10_000;

/** Hands workers a new filter; resolves when every one of them reads it. */
export type HandFilter = (shared: SharedArrayBuffer) => Promise<void>;

export interface StoreCare {
  /** From now on an outgrown filter is replaced. */
  handFilterBy(hand: HandFilter): void;
  /** Puts the copy's cards on top of `base` and that in force, as soon as there are workers; false if it cannot. */
  replaceFilter(base: FilterWriter): Promise<boolean>;
  /** Ends it and saves the filter a last time, within so long. */
  stop(withinMs: number): Promise<void>;
}

export function startStoreCare(store: StatusStore, log: Log): StoreCare {
  const stopSaving = startFilterSaving({
    store,
    onFault: (code) =>
      log('warn', "the filter's file was not written; the next start takes longer", { code }),
  });
  let growth: NodeJS.Timeout | undefined;
  let give: (hand: HandFilter) => void = () => {};
  const given = new Promise<HandFilter>((resolve) => {
    give = resolve;
  });
  return {
    replaceFilter: async (base) => {
      const hand = await given;
      const rebuilt = await store.filters.rebuild(base);
      if (!rebuilt.ok) return false;
      await hand(rebuilt.shared);
      rebuilt.retire();
      return true;
    },
    handFilterBy: (hand) => {
      give(hand);
      growth ??= setInterval(() => {
        growFilter(store, log, hand).catch(() => log('error', 'the filter could not be rebuilt'));
      }, GROWTH_CHECK_MS);
      growth.unref();
    },
    stop: async (withinMs) => {
      clearInterval(growth);
      await stopSaving(withinMs);
    },
  };
}

async function growFilter(store: StatusStore, log: Log, hand: HandFilter): Promise<void> {
  if (!store.filters.isOutgrown() || !store.completeness.isComplete()) return;
  const rebuilt = await store.filters.rebuild();
  if (!rebuilt.ok) {
    // Busy, or the store is being closed or mended: asked again at the next check.
    if (rebuilt.fault === 'unsound' || rebuilt.fault === 'unreadable') {
      log('error', 'the filter has outgrown its size and cannot be rebuilt', { fault: rebuilt.fault });
    }
    return;
  }
  await hand(rebuilt.shared);
  rebuilt.retire();
  log('info', 'the filter was rebuilt for more entries', { capacity: store.filter.capacity });
}
