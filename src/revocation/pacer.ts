/** Long work on the main thread in slices, so that status changes and heartbeats get their turn. */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

/** Work done before the event loop has its turn; what others may have to wait. */
export const SLICE_MS = 4;

export interface Pacer {
  /** Whether the slice is used up. Costs some 50 ns: ask every hundred steps or so. */
  spent(): boolean;
  /** Gives the event loop its turn and begins a new slice. */
  rest(): Promise<void>;
}

/** `restMs`: besides the turn, idle time after each slice; 0 for work that somebody waits for. */
export function createPacer(restMs = 0): Pacer {
  let sliceBeganMs = performance.now();
  return {
    spent: () => performance.now() - sliceBeganMs >= SLICE_MS,
    rest: async () => {
      if (restMs > 0) await sleep(restMs);
      else await nextTurn();
      sliceBeganMs = performance.now();
    },
  };
}
