/** A histogram that this thread alone counts in: cumulative, as Prometheus reads it. */
import type { HistogramView } from './counters.ts';

/** Upper bounds (seconds): a call to a log near by takes a millisecond, a change is enforced within a second. */
export const DELAY_BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60,
] as const;

export interface Delays {
  /** `times`: as often as it was the same delay. */
  observe(seconds: number, times?: number): void;
  view(): HistogramView;
}

export function createDelays(): Delays {
  const buckets = DELAY_BUCKETS;
  const counts = new Float64Array(buckets.length + 1);
  let sum = 0;
  return {
    observe: (seconds, times = 1) => {
      const bucket = buckets.findIndex((bound) => seconds <= bound);
      const at = bucket < 0 ? buckets.length : bucket;
      counts[at] = (counts[at] as number) + times;
      sum += seconds * times;
    },
    view: () => {
      let total = 0;
      const cumulative = Array.from(counts, (count) => {
        total += count;
        return total;
      });
      return { cumulative, sum };
    },
  };
}
