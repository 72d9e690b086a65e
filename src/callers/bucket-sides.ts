/**
 * Which of its two buckets each place has now. A new rate makes a credential cost another time, so what is owed is moved
 * to the other bucket in credentials: a caller whose quota is raised must not wait as long as the old one would have it.
 */
import { moveDebt } from './buckets.ts';
import { type BucketSide, costNsOf } from './caller-index.ts';
import type { Quota } from './caller-list.ts';

export interface BucketSides {
  /** Asked for each caller of a list that is taken, before any thread has it. */
  sideOf(place: number, quota: Quota | undefined): BucketSide;
}

/** `sharedPlace` is that of many callers, whose rates differ: there is nothing that could be moved. */
export function createBucketSides(
  shared: SharedArrayBuffer,
  sharedPlace: number,
  monotonicMs: () => number,
): BucketSides {
  /** The last quota of each place, that of a caller who has none now too: places have an end. */
  const last = new Map<number, { readonly side: BucketSide; readonly costNs: number }>();
  return {
    sideOf: (place, quota) => {
      if (place === sharedPlace) return 0;
      const before = last.get(place);
      if (quota === undefined) return before?.side ?? 0;
      const costNs = costNsOf(quota);
      if (before?.costNs === costNs) return before.side;
      const side = before === undefined || before.side === 1 ? 0 : 1;
      if (before !== undefined) moveDebt(shared, place, before, costNs, monotonicMs());
      last.set(place, { side, costNs });
      return side;
    },
  };
}
