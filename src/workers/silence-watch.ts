/**
 * Tells a thread that hangs from one that only was not looked at: silence counts only while this watch itself runs. A
 * process that stood still as a whole (stopped, suspended, starved) must not find all its threads silent when it goes on.
 */

export interface SilenceWatch {
  /** To be called at each look; how long the thread has been silent (milliseconds), by what was seen. */
  look(nowMs: number, beatAtMs: number): number;
}

/** `intervalMs`: how often it looks, if nothing holds it up. */
export function createSilenceWatch(intervalMs: number): SilenceWatch {
  let lookedAtMs: number | undefined;
  let knownBeatMs = Number.NaN;
  let silentMs = 0;
  return {
    look: (nowMs, beatAtMs) => {
      const passedMs = lookedAtMs === undefined ? 0 : nowMs - lookedAtMs;
      lookedAtMs = nowMs;
      if (beatAtMs !== knownBeatMs) {
        knownBeatMs = beatAtMs;
        silentMs = 0;
      } else {
        // A look that came late says nothing of what was before it.
        silentMs += Math.min(passedMs, 2 * intervalMs);
      }
      return silentMs;
    },
  };
}
