/**
 * `Retry-After` of every 503 (RFC 9110 section 10.2.3). Callers refused in the same instant must not come back in
 * the same instant, so each is told another time; the header counts in whole seconds.
 */
const SHORTEST_SECONDS = 1;
const LONGEST_SECONDS = 3;

/** `random` is uniform in [0, 1). */
export function retryAfter(random: () => number = Math.random): Readonly<Record<string, string>> {
  const seconds = SHORTEST_SECONDS + Math.floor(random() * (LONGEST_SECONDS - SHORTEST_SECONDS + 1));
  return { 'retry-after': `${seconds}` };
}
