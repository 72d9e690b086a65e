/**
 * How old the replica is, shared by all threads: the main thread beats, workers reckon the age.
 *
 * Ages stand on the monotonic clock and are never understated: a beat carries the instant at which the check
 * that succeeded BEGAN, and before the first beat the age is infinite.
 */
import type { Clock } from '../clock.ts';

export interface FreshnessLimits {
  /** Beyond this age answers say that the replica is stale (promise 3). */
  readonly staleAfterMs: number;
  /** The operator's limit, beyond which a card not known as revoked is "cannot tell". */
  readonly expireAfterMs: number;
}

/** How often the main thread should check and beat: a small part of the age that counts as stale. */
export const BEAT_INTERVAL_MS = 500;

export type FreshnessState = 'fresh' | 'stale' | 'expired';

export interface Freshness {
  readonly state: FreshnessState;
  /** Milliseconds since the replica was last known whole; Infinity when it never was. */
  readonly ageMs: number;
  /** Last change applied, as of the last beat or change. */
  readonly seq: number;
}

export interface FreshnessReader {
  readonly shared: SharedArrayBuffer;
  read(): Freshness;
}

export interface FreshnessWriter extends FreshnessReader {
  /** Records a successful check; `checkBeganMs` was read from `Clock.monotonicMs()` before it started. */
  beat(checkBeganMs: number): void;
  /** Makes a sequence number known; it never goes down. */
  publishSeq(seq: number): void;
}

const BEAT = 0;
const SEQ = 1;
const STALE_AFTER = 2;
const EXPIRE_AFTER = 3;
const CELLS = 4;

/** The limits stand in shared memory too, so that no thread can judge by others. */
export function createFreshness(
  clock: Clock,
  { staleAfterMs, expireAfterMs }: FreshnessLimits,
): FreshnessWriter {
  if (!(expireAfterMs >= staleAfterMs)) throw new RangeError('the limit lies below the stale age');
  // Aligned float64: read and written whole on the 64-bit machines Node's SharedArrayBuffer serves here.
  const cells = new Float64Array(new SharedArrayBuffer(CELLS * Float64Array.BYTES_PER_ELEMENT));
  cells[BEAT] = Number.NEGATIVE_INFINITY;
  cells[STALE_AFTER] = staleAfterMs;
  cells[EXPIRE_AFTER] = expireAfterMs;
  return {
    ...attachFreshness(clock, cells.buffer as SharedArrayBuffer),
    beat: (checkBeganMs) => {
      cells[BEAT] = Math.max(cells[BEAT] as number, checkBeganMs);
    },
    publishSeq: (seq) => {
      cells[SEQ] = Math.max(cells[SEQ] as number, seq);
    },
  };
}

/** The same freshness in another thread. */
export function attachFreshness(clock: Clock, shared: SharedArrayBuffer): FreshnessReader {
  const cells = new Float64Array(shared);
  return {
    shared,
    read: () => {
      const ageMs = Math.max(0, clock.monotonicMs() - (cells[BEAT] as number));
      const [staleAfterMs, expireAfterMs] = [cells[STALE_AFTER] as number, cells[EXPIRE_AFTER] as number];
      const state = ageMs > expireAfterMs ? 'expired' : ageMs > staleAfterMs ? 'stale' : 'fresh';
      return { state, ageMs, seq: cells[SEQ] as number };
    },
  };
}
