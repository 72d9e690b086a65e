/** The two clocks: wall time for dates in credentials, monotonic time for ages and deadlines. */
// By name: the global of the same name is looked up by a getter, each time.
import { performance } from 'node:perf_hooks';

export interface Clock {
  /** Milliseconds since the epoch; may step when the machine's clock is set. */
  wallMs(): number;
  /** Milliseconds on a clock that never steps, the same in every thread of the process. */
  monotonicMs(): number;
}

/**
 * Both count the machine's monotonic clock, but `performance.now()` from the start of its own thread, and ages are
 * compared across threads: so by how much it lags is measured, once. It costs a third of the other.
 */
const threadStartMs = Math.max(
  // Between the two readings the thread may be held up, which makes the difference too small: never too large.
  ...Array.from({ length: 10 }, () => Number(process.hrtime.bigint()) / 1e6 - performance.now()),
);

/** The machine's clocks. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => threadStartMs + performance.now(),
};
