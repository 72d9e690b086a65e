/**
 * Both clocks, read once for each run of code between two microtask queues: reading them costs as much as a place in
 * the table. Both are read together, so that what remains of a life by the one is added to the other rightly; that they
 * are a little behind by then keeps a proof known for as much longer, never shorter.
 */
import type { Clock } from '../clock.ts';

export function createTurnClock(clock: Clock): Clock {
  let isRead = false;
  let wallMs = 0;
  let monotonicMs = 0;
  const forget = (): void => {
    isRead = false;
  };
  const read = (): void => {
    if (isRead) return;
    isRead = true;
    wallMs = clock.wallMs();
    monotonicMs = clock.monotonicMs();
    queueMicrotask(forget);
  };
  return {
    wallMs: () => {
      read();
      return wallMs;
    },
    monotonicMs: () => {
      read();
      return monotonicMs;
    },
  };
}
