/**
 * How fast threads are replaced: the first at once, then ever more slowly, so that one that dies at its start does not
 * spin; and not for ever: what ends again and again will not be mended by another thread.
 */

const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 5_000;
const WINDOW_MS = 60_000;

export interface RestartPace {
  /** A thread ended: how long to wait before the next is started; `undefined` when it is time to give up. */
  next(nowMs: number): number | undefined;
}

/** `random`: from 0 to 1, so that the gateways of a fleet with one cause do not restart in step. */
export function createRestartPace(workers: number, random: () => number = Math.random): RestartPace {
  // All of them may fall to one cause, and once more to its end.
  const maxEnds = Math.max(10, 3 * workers);
  let ends: number[] = [];
  return {
    next: (nowMs) => {
      ends = ends.filter((atMs) => nowMs - atMs < WINDOW_MS);
      ends.push(nowMs);
      if (ends.length > maxEnds) return undefined;
      // Each thread's first replacement is at once, all others wait.
      const repeated = ends.length - workers;
      if (repeated <= 0) return 0;
      const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (repeated - 1));
      return delayMs * (0.5 + random() / 2);
    },
  };
}
