/**
 * What turns say of an overload of single calls: that it is none any more. It ends by itself where nothing was shed for a
 * while, but a burst now and then would shed enough to keep it.
 */

/**
 * Turns that bring no more than this part of what they are cut to, those refused included, are no overload any more,
 * whatever a burst among them made it shed; but not while a hog is there, which would come back with all it has. What the
 * thread idles would not tell: short turns cost most by themselves.
 */
const SHORT_TURN = 0.5;
/**
 * Calls that take no more than this part of the time, those refused with what refusing them takes, are none either, hog or
 * not: whoever sends bursts would keep batches out for ever. Told so often in a row: a thread that did not run has seen no
 * calls.
 */
const LITTLE_WORK = 0.5;
const LOOKS = 2;
/** Between two looks that are farther apart the thread did not run, and what has come meanwhile is still to be read. */
const PAUSE_MS = 150;

export interface Calm {
  /** An overload begins. */
  begin(nowMs: number): void;
  /** A turn brought such a part of what it is cut to, and so much work, those refused included in both. */
  turned(fullness: number, workMs: number): void;
  /** Whether what came since the last look is no overload. */
  look(nowMs: number, hogIsThere: boolean): boolean;
}

export function createCalm(): Calm {
  let lookedAtMs = 0;
  let turns = 0;
  let fullness = 0;
  let workMs = 0;
  /** Looks in a row that found little work. */
  let little = 0;
  const lookAnew = (nowMs: number): void => {
    lookedAtMs = nowMs;
    turns = 0;
    fullness = 0;
    workMs = 0;
  };
  return {
    begin: (nowMs) => {
      little = 0;
      lookAnew(nowMs);
    },
    turned: (turnFullness, turnMs) => {
      turns++;
      fullness += turnFullness;
      workMs += turnMs;
    },
    look: (nowMs, hogIsThere) => {
      const passedMs = nowMs - lookedAtMs;
      const areShort = turns > 0 && fullness / turns < SHORT_TURN;
      const isLittle = workMs < LITTLE_WORK * passedMs;
      lookAnew(nowMs);
      if (passedMs > PAUSE_MS) return false;
      little = isLittle ? little + 1 : 0;
      return (areShort && !hogIsThere) || little >= LOOKS;
    },
  };
}
