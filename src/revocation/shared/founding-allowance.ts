/**
 * When this gateway may found a new life of the log: rarely, so that somebody who forges causes staleness and
 * alarms but no storm, and not hastily when others are likely to hold more.
 */

export const FOUNDING_INTERVAL_MS = 60_000;
const FIRST_RETRY_MS = 1_000;

export interface FoundingAllowance {
  /**
   * Milliseconds until it may found, 0: now. `poor`: the copy is empty or not whole, so everybody else who sees
   * the same goes first; `since`: the need has been seen without interruption since then.
   */
  waitMs(nowMs: number, sinceMs: number, poor: boolean): number;
  opened(nowMs: number): void;
  failed(nowMs: number): void;
  /** The log is in order: failures of the past do not count any more. */
  inOrder(): void;
}

export function createFoundingAllowance(intervalMs: number, graceMs: number): FoundingAllowance {
  let notBeforeMs = Number.NEGATIVE_INFINITY;
  let failures = 0;
  return {
    waitMs: (nowMs, sinceMs, poor) => Math.max(0, notBeforeMs - nowMs, poor ? sinceMs + graceMs - nowMs : 0),
    opened: (nowMs) => {
      notBeforeMs = nowMs + intervalMs;
      failures = 0;
    },
    failed: (nowMs) => {
      notBeforeMs = nowMs + Math.min(intervalMs, FIRST_RETRY_MS * 2 ** failures);
      failures = Math.min(failures + 1, 16);
    },
    inOrder: () => {
      failures = 0;
    },
  };
}
