/** Bounded repetition of calls that may be repeated. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Outcome } from './call.ts';

export interface RetryPolicy {
  /** Calls made at most, the first one included. */
  readonly attempts: number;
  /** Longest wait before the second call; doubles with each further one. */
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
}

/** About ten seconds in all: longer than a gateway's restart. */
export const DEFAULT_RETRY: RetryPolicy = { attempts: 6, baseDelayMs: 250, maxDelayMs: 5_000 };

/** Repeats `call` while it ends `unavailable`. Refusals and answers are final. */
export async function withRetries<T>(
  call: () => Promise<Outcome<T>>,
  policy: RetryPolicy,
): Promise<Outcome<T>> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await call();
    if (outcome.kind !== 'unavailable' || attempt >= policy.attempts) return outcome;
    await sleep(delayMs(attempt, policy, outcome.retryAfterMs));
  }
}

/**
 * Full jitter: a uniform share of the doubling bound, so that clients cut off together do not come back
 * together. What the gateway asks for (Retry-After) is the least, within the cap.
 */
function delayMs(attempt: number, policy: RetryPolicy, retryAfterMs = 0): number {
  const bound = Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (attempt - 1));
  return Math.min(policy.maxDelayMs, retryAfterMs + Math.random() * bound);
}
