/**
 * How long single calls wait for the turn of the event loop to end: the signal of overload. One measurement a turn, of
 * the call that was gathered first and so waited longest; a clock read for each call would cost more than it tells.
 */
import type { Clock } from '../clock.ts';

export interface QueueDelay {
  /** The first call of a turn waits from now on. */
  begin(): void;
  /** Those that waited are about to be verified. */
  end(): void;
}

export function createQueueDelay(clock: Clock, onQueued: (seconds: number) => void): QueueDelay {
  let sinceMs: number | undefined;
  return {
    begin: () => {
      sinceMs = clock.monotonicMs();
    },
    end: () => {
      // Nobody waited.
      if (sinceMs === undefined) return;
      onQueued((clock.monotonicMs() - sinceMs) / 1000);
      sinceMs = undefined;
    },
  };
}
