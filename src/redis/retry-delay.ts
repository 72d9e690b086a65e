/** How long to wait before Redis is tried again. */

/** What full jitter adds to, and the longest that it adds where nobody says otherwise. */
export const LEAST_RETRY_DELAY_MS = 10;
export const MAX_RETRY_DELAY_MS = 490;

/** Full jitter, capped: gateways that lost Redis together do not come back together. */
export function retryDelayMs(
  attempt: number,
  random: () => number = Math.random,
  capMs = MAX_RETRY_DELAY_MS,
): number {
  return LEAST_RETRY_DELAY_MS + Math.floor(random() * Math.min(capMs, 50 * 2 ** attempt));
}
