/**
 * How much work in batches may stand in the queue while there are too many of them. As much as it took to know that would
 * only make every one of them wait as long, so it is less. But a few clients that always have another batch, and were too
 * many for a moment only, would be refused for ever: where all that is wanted would fit into the whole room, that is
 * tried again, the less often the more often it was in vain.
 */
import { REMEMBERED_MS } from './overload.ts';

/** Of what may stand before: less would be empty too often at the capacity, where batches come now fast, now slowly. */
export const CROWDED_PART = 0.6;
/** Where so many times the whole room is wanted, the next one is always at hand, and half of it is as good. */
export const FAR_TOO_MUCH = 2;
export const LEAST_PART = 0.5;
/** The first trial comes after so long; each one in vain doubles it, up to the rarest. */
export const FIRST_TRIAL_MS = 1_000;
export const RAREST_TRIAL_MS = 16_000;

export interface StandingRoom {
  /** An overload begins. */
  begin(nowMs: number): void;
  /** And ends. */
  end(nowMs: number): void;
  /** Something was shed for want of room: a trial was in vain. */
  shed(nowMs: number): void;
  /**
   * The part of the whole room that there is now; where it is time, a trial begins. `wanted`: by what stands, and by what
   * was refused and does not know it yet.
   */
  partNow(nowMs: number, wanted: number): number;
}

export function createStandingRoom(): StandingRoom {
  let waitMs = FIRST_TRIAL_MS;
  let trialAtMs = Number.POSITIVE_INFINITY;
  let isTrial = false;
  let endedAtMs = Number.NEGATIVE_INFINITY;
  return {
    begin: (nowMs) => {
      if (nowMs - endedAtMs > REMEMBERED_MS) waitMs = FIRST_TRIAL_MS;
      isTrial = false;
      trialAtMs = nowMs + waitMs;
    },
    end: (nowMs) => {
      endedAtMs = nowMs;
    },
    shed: (nowMs) => {
      if (!isTrial) return;
      isTrial = false;
      waitMs = Math.min(2 * waitMs, RAREST_TRIAL_MS);
      trialAtMs = nowMs + waitMs;
    },
    partNow: (nowMs, wanted) => {
      if (!isTrial && nowMs >= trialAtMs) {
        isTrial = wanted <= 1;
        trialAtMs = nowMs + waitMs;
      }
      if (isTrial) return 1;
      return wanted > FAR_TOO_MUCH ? LEAST_PART : CROWDED_PART;
    },
  };
}
