/** One figure from the counters of many threads. */
import type { Counters, HistogramView } from './counters.ts';

/** Of all threads. */
export function sumOver(slabs: readonly Counters[], read: (slab: Counters) => number): number {
  return slabs.reduce((sum, slab) => sum + read(slab), 0);
}

/** Histograms with the same buckets as one. */
export function mergeViews(views: readonly HistogramView[]): HistogramView {
  const [first, ...others] = views;
  if (first === undefined) return { cumulative: [], sum: 0 };
  return others.reduce(
    (merged, view) => ({
      cumulative: merged.cumulative.map((count, index) => count + (view.cumulative[index] as number)),
      sum: merged.sum + view.sum,
    }),
    first,
  );
}
