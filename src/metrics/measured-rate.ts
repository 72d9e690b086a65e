/**
 * The false-positive rate as it was measured, of the filter in force and not of those before it: a filter that was
 * outgrown and replaced must not weigh on the figure for ever.
 *
 * Counters go on across filters, so the counts at which a new one was first seen are taken off: at the scrape that
 * follows the replacement.
 */
import type { Counters } from './counters.ts';

/** Begins with the filter in force now, none of whose look-ups has been counted before. */
export function createMeasuredRate(slabs: () => readonly Counters[], inForce: () => unknown): () => number {
  const counted = () => {
    let falsePositives = 0;
    let negatives = 0;
    for (const slab of slabs()) {
      falsePositives += slab.filterChecks('false_positive');
      negatives += slab.filterChecks('negative');
    }
    return { falsePositives, negatives };
  };
  let seen = inForce();
  let base = { falsePositives: 0, negatives: 0 };
  return () => {
    const now = counted();
    const current = inForce();
    if (current !== seen) base = now;
    seen = current;
    const falsePositives = now.falsePositives - base.falsePositives;
    const absent = falsePositives + now.negatives - base.negatives;
    return absent === 0 ? 0 : falsePositives / absent;
  };
}
