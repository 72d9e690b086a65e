/**
 * How old the replica is, shared by all threads: the main thread beats, workers reckon the age.
 *
 * Ages stand on the monotonic clock and are never understated: a beat carries the instant at which the check
 * that succeeded BEGAN, and before the first beat the age is infinite.
 */
import type { Clock } from '../clock.ts';

/** From this age on, answers say that the replica is stale (promise 3). */
export const STALE_AFTER_MS = 5_000;
/** The operator's limit unless set: 24 hours. */
export const DEFAULT_EXPIRE_AFTER_MS = 86_400_000;
/** How often the main thread should check and beat: a tenth of the age that would count as stale. */
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
const EXPIRE_AFTER = 2;

/** `expireAfterMs`: the operator's limit, beyond which a card not known as revoked is "cannot tell". */
export function createFreshness(clock: Clock, expireAfterMs = DEFAULT_EXPIRE_AFTER_MS): FreshnessWriter {
  if (!(expireAfterMs >= STALE_AFTER_MS)) throw new RangeError('the limit lies below the stale age');
  // Aligned float64: read and written whole on the 64-bit machines Node's SharedArrayBuffer serves here.
  const cells = new Float64Array(new SharedArrayBuffer(24));
  cells[BEAT] = Number.NEGATIVE_INFINITY;
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
      return { state: stateOf(ageMs, cells[EXPIRE_AFTER] as number), ageMs, seq: cells[SEQ] as number };
    },
  };
}

function stateOf(ageMs: number, expireAfterMs: number): FreshnessState {
  if (ageMs > expireAfterMs) return 'expired';
  return ageMs > STALE_AFTER_MS ? 'stale' : 'fresh';
}
