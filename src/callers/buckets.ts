/**
 * Token buckets of all callers, in memory that all threads share: one for a caller, however many connections it has and
 * whichever threads those are at. Kept by the generic cell rate algorithm (ITU-T I.371): for each caller the instant at
 * which its bucket would be full again, so that nothing has to be filled and idle callers cost nothing.
 *
 * That instant counts in the price of one quota. When a caller gets another one, threads learn of it one after the other,
 * and what is under way still goes by the old one; so each place has two buckets, and a new quota takes the other one.
 */
import type { BucketSide, KnownCaller } from './caller-index.ts';

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

/** Buckets of a place. */
const SIDES = 2;

/** Nobody owes more (nanoseconds, 146 years): beyond it the sum would end in the past. */
const MOST_OWED = 1n << 62n;

export function allocateBuckets(places: number): SharedArrayBuffer {
  return new SharedArrayBuffer(SIDES * places * BigInt64Array.BYTES_PER_ELEMENT);
}

/**
 * Moves what a place owes, in credentials, from one of its buckets to the other, in which a credential takes another
 * time. The other one is what nobody uses: its quota is older than the one that is given up.
 */
export function moveDebt(
  shared: SharedArrayBuffer,
  place: number,
  from: { readonly side: BucketSide; readonly costNs: number },
  toCostNs: number,
  monotonicMs: number,
): void {
  const fullAt = new BigInt64Array(shared);
  const now = nanoseconds(monotonicMs);
  const owed = Atomics.load(fullAt, indexOf(fullAt, place, from.side)) - now;
  const moved = owed > 0n ? (owed * BigInt(toCostNs)) / BigInt(from.costNs) : 0n;
  Atomics.store(fullAt, indexOf(fullAt, place, from.side === 0 ? 1 : 0), later(now, moved, now));
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
      const index = indexOf(fullAt, place, bucket.side);
      for (let before = Atomics.load(fullAt, index); ; ) {
        const from = before > now ? before : now;
        const lacks = from + cost - now - depth;
        if (lacks > 0n && before > now) {
          // A bucket that is not full lets nothing larger than itself in until it is.
          const waits = cost > depth ? before - now : lacks;
          return Math.max(1, Math.ceil(Number(waits) / 1e6));
        }
        const seen = Atomics.compareExchange(fullAt, index, before, later(from, cost, now));
        if (seen === before) return 0;
        before = seen;
      }
    },
    correct: ({ bucket, place }, credentials, monotonicMs) => {
      if (bucket === undefined || credentials === 0) return;
      const cost = BigInt(bucket.costNs * credentials);
      const index = indexOf(fullAt, place, bucket.side);
      if (credentials < 0) {
        Atomics.add(fullAt, index, cost);
        return;
      }
      // Nothing can be owed in the past: a bucket that has filled up meanwhile owes from now on.
      const now = nanoseconds(monotonicMs);
      for (let before = Atomics.load(fullAt, index); ; ) {
        const next = later(before > now ? before : now, cost, now);
        const seen = Atomics.compareExchange(fullAt, index, before, next);
        if (seen === before) return;
        before = seen;
      }
    },
  };
}

function indexOf(fullAt: BigInt64Array, place: number, side: BucketSide): number {
  return side * (fullAt.length / SIDES) + place;
}

function later(from: bigint, by: bigint, now: bigint): bigint {
  const most = now + MOST_OWED;
  return from + by < most ? from + by : most;
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms * 1e6));
}
