/**
 * When a queue is too long: not when a burst fills it, but when it has not been short for a while (controlled delay).
 * A burst, or what piled up while the machine did something else, is served; a queue that stands is cut.
 */

/** A queue that was long for so long stands, unless an overload is remembered. */
export const STANDING_MS = 50;
/** An overload is over when so long nothing had to be shed. */
export const CALM_MS = 1_000;
/** It is remembered for so long: it may come back with those who were refused. */
export const REMEMBERED_MS = 1_000;

export interface Overload {
  readonly isOn: boolean;
  /** The queue is short. */
  short(): void;
  /** The queue is long, now, and was since it began to be seen; before that it may have been short unseen. */
  long(nowMs: number, seenSinceMs: number): void;
  /** Something was shed. */
  shed(nowMs: number): void;
  /** Ends an overload in which nothing was shed for a while, or that is none any more by other signs. */
  check(nowMs: number, isCalm: boolean): void;
}

/** `againMs`: for how long a queue stands while the last overload is remembered, if that is not as long as before the first. */
export function createOverload(onChange: (isOn: boolean) => void, againMs: number = STANDING_MS): Overload {
  /** Since when and when last the queue was long. */
  let longSinceMs = Number.NaN;
  let longAtMs = Number.NaN;
  let shedAtMs = 0;
  let endedAtMs = Number.NEGATIVE_INFINITY;
  const set = (value: boolean): void => {
    if (overload.isOn === value) return;
    overload.isOn = value;
    onChange(value);
  };
  // Not by an accessor: in the second object with one V8 looks all members up anew, each time.
  const overload: Overload & { isOn: boolean } = {
    isOn: false,
    short: () => {
      longSinceMs = Number.NaN;
    },
    long: (nowMs, seenSinceMs) => {
      // Between two long queues there was a short one, or nothing at all, that nobody told of.
      if (!(seenSinceMs - longAtMs < STANDING_MS)) longSinceMs = Number.NaN;
      longAtMs = nowMs;
      if (Number.isNaN(longSinceMs)) longSinceMs = nowMs;
      const standingMs = nowMs - endedAtMs < REMEMBERED_MS ? againMs : STANDING_MS;
      if (nowMs - longSinceMs < standingMs) return;
      if (!overload.isOn) shedAtMs = nowMs;
      set(true);
    },
    shed: (nowMs) => {
      shedAtMs = nowMs;
    },
    check: (nowMs, isCalm) => {
      if (!overload.isOn || !(isCalm || nowMs - shedAtMs > CALM_MS)) return;
      set(false);
      endedAtMs = nowMs;
    },
  };
  return overload;
}
