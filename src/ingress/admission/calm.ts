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
 * With no more than this part of the time for all calls that were let in they are none either, hog or not: whoever sends
 * bursts would keep batches out for ever. Told so often in a row: a thread that did not run has seen no calls.
 */
const LITTLE_WORK = 0.5;
const LOOKS = 2;

export interface Calm {
  /** An overload begins. */
  begin(nowMs: number): void;
  /** A turn brought such a part of what it is cut to, those refused included, and so much work was let in. */
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
      const areShort = turns === 0 || fullness / turns < SHORT_TURN;
      const isLittle = areShort && workMs < LITTLE_WORK * (nowMs - lookedAtMs);
      little = isLittle ? little + 1 : 0;
      const isOver = (turns > 0 && areShort && !hogIsThere) || little >= LOOKS;
      lookAnew(nowMs);
      return isOver;
    },
  };
}
