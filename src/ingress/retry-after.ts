/**
 * `Retry-After` of every 503 (RFC 9110 section 10.2.3). Callers refused in the same instant must not come back in
 * the same instant, so each is told another time; the header counts in whole seconds.
 */
export const RETRY_AFTER_SECONDS = [1, 2, 3] as const;

/** `random` is uniform in [0, 1). */
export function retryAfter(random: () => number = Math.random): Readonly<Record<string, string>> {
  const seconds = RETRY_AFTER_SECONDS[Math.floor(random() * RETRY_AFTER_SECONDS.length)];
  return { 'retry-after': `${seconds}` };
}
