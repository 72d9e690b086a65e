/** Waiting between attempts, with full jitter: gateways that lost the log together do not come back together. */

/** First upper bound of a wait, and the highest. */
const FIRST_MS = 100;
/**
 * With the log's own reconnection (at most 1 s) and a call's deadline (at most 500 ms) this must stay below
 * `SETTLE_MS` (see `settling.ts`): whoever holds acknowledged records has to be back before others trust a
 * log that came back.
 */
export const BACKOFF_CAP_MS = 1_000;

export interface Backoff {
  /** The next wait, in milliseconds; uniformly random up to a bound that doubles. */
  nextMs(): number;
  reset(): void;
}

/** `random`: uniform in [0, 1). */
export function createBackoff(random: () => number, capMs = BACKOFF_CAP_MS): Backoff {
  let failures = 0;
  return {
    nextMs: () => {
      const boundMs = Math.min(capMs, FIRST_MS * 2 ** failures);
      // Bounded, so that the power stays finite over a long outage.
      failures = Math.min(failures + 1, 16);
      return random() * boundMs;
    },
    reset: () => {
      failures = 0;
    },
  };
}
