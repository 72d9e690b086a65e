/**
 * Token buckets of all callers, in memory that all threads share: one for a caller, however many connections it has and
 * whichever threads those are at. Kept by the generic cell rate algorithm (ITU-T I.371): for each caller the instant at
 * which its bucket would be full again, so that nothing has to be filled and idle callers cost nothing.
 */
import type { KnownCaller } from './caller-index.ts';

export interface Buckets {
  readonly shared: SharedArrayBuffer;
  /**
   * Takes so many credentials. 0: they were taken; else nothing was, and so many milliseconds later they could be. A bucket
   * that is full gives whatever is asked, and owes it: what is larger than a bucket would never come else.
   */
  take(caller: KnownCaller, credentials: number, monotonicMs: number): number;
  /** What was taken turns out to have been more (or, below zero, fewer) by so many. */
  correct(caller: KnownCaller, credentials: number, monotonicMs: number): void;
}

export function allocateBuckets(places: number): SharedArrayBuffer {
  return new SharedArrayBuffer(places * BigInt64Array.BYTES_PER_ELEMENT);
}

/** `monotonicMs` must be of a clock that all threads share. */
export function openBuckets(shared: SharedArrayBuffer): Buckets {
  /** When each bucket is full again (monotonic, nanoseconds). */
  const fullAt = new BigInt64Array(shared);
  return {
    shared,
    take: ({ bucket, place }, credentials, monotonicMs) => {
      if (bucket === undefined) return 0;
      const now = nanoseconds(monotonicMs);
      const cost = BigInt(bucket.costNs * credentials);
      const depth = BigInt(bucket.depthNs);
      for (let before = Atomics.load(fullAt, place); ; ) {
        const from = before > now ? before : now;
        const lacks = from + cost - now - depth;
        if (lacks > 0n && before > now) {
          // A bucket that is not full lets nothing larger than itself in until it is.
          const waits = cost > depth ? before - now : lacks;
          return Math.max(1, Math.ceil(Number(waits) / 1e6));
        }
        const seen = Atomics.compareExchange(fullAt, place, before, from + cost);
        if (seen === before) return 0;
        before = seen;
      }
    },
    correct: ({ bucket, place }, credentials, monotonicMs) => {
      if (bucket === undefined || credentials === 0) return;
      const cost = BigInt(bucket.costNs * credentials);
      if (credentials < 0) {
        Atomics.add(fullAt, place, cost);
        return;
      }
      // Nothing can be owed in the past: a bucket that has filled up meanwhile owes from now on.
      const now = nanoseconds(monotonicMs);
      for (let before = Atomics.load(fullAt, place); ; ) {
        const seen = Atomics.compareExchange(fullAt, place, before, (before > now ? before : now) + cost);
        if (seen === before) return;
        before = seen;
      }
    },
  };
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms * 1e6));
}
