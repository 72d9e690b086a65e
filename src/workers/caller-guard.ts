/** A data-plane thread's judge of callers, counted in the thread's own slab. */
import { openBuckets } from '../callers/buckets.ts';
import { buildCallerIndex } from '../callers/caller-index.ts';
import type { Clock } from '../clock.ts';
import { type CallerGuard, createCallerGuard } from '../ingress/caller-guard.ts';
import type { Counters } from '../metrics/counters.ts';
import type { SharedCallers } from './protocol.ts';

export function openCallerGuard(
  { list, hashKey, buckets }: SharedCallers,
  clock: Clock,
  counters: Counters,
): CallerGuard {
  return createCallerGuard({
    clock,
    buckets: openBuckets(buckets),
    index: buildCallerIndex(list, hashKey),
    onRefused: (why, caller) => {
      counters.countCallerRefusal(why);
      if (caller !== undefined && (why === 'scope' || why === 'quota'))
        counters.countCaller(caller.place, why, 1);
    },
    onServed: ({ place }, credentials) => {
      counters.countCaller(place, 'requests', 1);
      counters.countCaller(place, 'credentials', credentials);
    },
  });
}
