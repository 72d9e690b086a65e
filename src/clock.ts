/** The two clocks: wall time for dates in credentials, monotonic time for ages and deadlines. */

export interface Clock {
  /** Milliseconds since the epoch; may step when the machine's clock is set. */
  wallMs(): number;
  /** Milliseconds on a clock that never steps, the same in every thread of the process. */
  monotonicMs(): number;
}

/**
 * The machine's clocks. `performance.now()` will not do for the monotonic one: each worker thread counts it
 * from its own start, and ages are compared across threads.
 */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => Number(process.hrtime.bigint()) / 1e6,
};
