/**
 * The end of a gateway: every accepted request is answered, and the process is gone in time.
 *
 * At SIGTERM `/readyz` turns 503 at once while the listener stays open, so that load balancers see it and
 * their last requests are still served; every answer closes its connection. Once nothing has come for a
 * moment, or half of the time is spent, no new connection is taken; what is in flight is waited for.
 */
import type { Clock } from './clock.ts';

export interface DrainOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Requests read and not yet answered. */
  inFlight(): number;
  /** Monotonic time of the last request begun. */
  lastRequestAtMs(): number;
  stopListening(): void;
}

const POLL_MS = 10;
/** Quiet for so long: load balancers that poll every second or so have moved on, or there are none. */
const QUIET_MS = 500;
/** Kept back from the timeout for closing connections, threads and the store. */
const CLOSING_MS = 500;

/** Resolves to the number of requests that were still unanswered when the time was up; 0 as a rule. */
export async function drain(options: DrainOptions): Promise<number> {
  const { clock, timeoutMs, inFlight, lastRequestAtMs } = options;
  const startedAtMs = clock.monotonicMs();
  const elapsedMs = (): number => clock.monotonicMs() - startedAtMs;
  const quietForMs = (): number => clock.monotonicMs() - Math.max(startedAtMs, lastRequestAtMs());
  const endMs = Math.max(timeoutMs - CLOSING_MS, timeoutMs / 2);

  const isQuiet = (): boolean => inFlight() === 0 && quietForMs() >= Math.min(QUIET_MS, timeoutMs / 4);
  while (!isQuiet() && elapsedMs() < timeoutMs / 2) await sleep(POLL_MS);
  options.stopListening();
  while (inFlight() > 0 && elapsedMs() < endMs) await sleep(POLL_MS);
  return inFlight();
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
