/** This gateway's word to all others that the log may lack entries it has: given, renewed and taken back. */
import { HOLD_MS } from './settling.ts';
import type { SharedLog } from './shared-log.ts';

export interface Hold {
  /** The log may lack something from now on. */
  give(): Promise<void>;
  /** Renews it if it is due; to be called more often than every third of its life. */
  keep(): Promise<void>;
  /** The log has everything. */
  takeBack(): Promise<void>;
  given(): boolean;
}

export function createHold(log: SharedLog, monotonicMs: () => number): Hold {
  let given = false;
  /** Of the last that arrived; what did not is tried again at the next call. */
  let placedMs: number | undefined;
  const keep = async () => {
    const nowMs = monotonicMs();
    if (!given || (placedMs !== undefined && nowMs - placedMs < HOLD_MS / 3)) return;
    const placed = await log.hold(HOLD_MS);
    if (placed.ok) placedMs = nowMs;
  };
  return {
    give: async () => {
      if (given) return;
      given = true;
      placedMs = undefined;
      await keep();
    },
    keep,
    takeBack: async () => {
      if (!given) return;
      given = false;
      // Should this be lost, it lapses.
      await log.hold(0);
    },
    given: () => given,
  };
}
