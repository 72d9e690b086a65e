/** The two clocks: wall time for dates in credentials, monotonic time for ages and deadlines. */
import { hrtime } from 'node:process';

export interface Clock {
  /** Milliseconds since the epoch; may step when the machine's clock is set. */
  wallMs(): number;
  /** Milliseconds on a clock that never steps, the same in every thread of the process. */
  monotonicMs(): number;
}

/** The machine's clocks. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  // Not `performance.now()`, which counts from the start of its own thread and takes half as long again.
  monotonicMs: () => {
    const [seconds, nanoseconds] = hrtime();
    return seconds * 1e3 + nanoseconds / 1e6;
  },
};
