/**
 * What part of a turn each client may use under overload, in parts of what a turn is cut to. Where all want the same, a
 * turn is cut for all alike. Where some had more than others, they get what the others leave, found by trying: less
 * after each turn that was full, a little more after each that was not.
 */
import type { ClientWeight } from './client-shares.ts';

export type Rooms = Readonly<Record<ClientWeight, number>>;

/** Where nothing is tried, as in the queue of batches. */
export const FIXED_ROOMS: Rooms = { light: 2, usual: 1, heavy: 0.5 };
/** A turn is full when it brought such a part of what it is cut to. */
const FULL_TURN = 0.9;
const LESS = 0.8;
const MORE = 0.02;
/** In effect the first call of a turn. */
const LEAST_HEAVY_ROOM = 0.01;
/**
 * While a hog is there that can make way instead, turns of the others are not cut, or what piles up while the thread does
 * not run would be refused to them, also where the hog had all it wanted just then; but if their turns stay so many times
 * as long for so long, the others are too many themselves, and have this room until none of them was refused for a while.
 */
const ROOM_BESIDE_HOG = 100;
const LONG_TURN = 10;
const MOST_LONG_MS = 100;
const CROWDED_ROOM = 4;
const CROWDED_MS = 300;
/** A hog that called so lately is there. */
const LATELY_MS = 250;

export interface TurnRooms {
  readonly rooms: Rooms;
  /** Somebody heavy called. */
  hogCame(nowMs: number): void;
  /** Whether somebody heavy did, lately: how long turns are is what it is made to leave. */
  hogIsThere(nowMs: number): boolean;
  /** Somebody who is not heavy was refused. */
  otherRefused(nowMs: number): void;
  /** A turn has ended that brought such a part of its limit. */
  turned(fullness: number, beganMs: number, nowMs: number): void;
}

export function createTurnRooms(): TurnRooms {
  const rooms = { ...FIXED_ROOMS };
  let hogCameAtMs = Number.NEGATIVE_INFINITY;
  /** When the first ended of the turns that were long without a break. */
  let longSinceMs = Number.NaN;
  let turnedAtMs = Number.NEGATIVE_INFINITY;
  let crowdedUntilMs = Number.NEGATIVE_INFINITY;
  const hogIsThere = (nowMs: number): boolean => nowMs - hogCameAtMs < LATELY_MS;
  const isCrowded = (nowMs: number): boolean => nowMs < crowdedUntilMs;
  const roomBesideHog = (nowMs: number): number => {
    if (nowMs - longSinceMs > MOST_LONG_MS) crowdedUntilMs = nowMs + CROWDED_MS;
    return isCrowded(nowMs) ? CROWDED_ROOM : ROOM_BESIDE_HOG;
  };
  const makeRoomForOthers = (nowMs: number): void => {
    rooms.usual = hogIsThere(nowMs) ? roomBesideHog(nowMs) : FIXED_ROOMS.usual;
    rooms.light = Math.max(FIXED_ROOMS.light, rooms.usual);
  };
  return {
    rooms,
    hogIsThere,
    hogCame: (nowMs) => {
      const isNew = !hogIsThere(nowMs);
      hogCameAtMs = nowMs;
      if (!isNew) return;
      // At once, not when this turn has ended: the queue with which an overload begins comes in one turn.
      longSinceMs = Number.NaN;
      makeRoomForOthers(nowMs);
    },
    otherRefused: (nowMs) => {
      if (hogIsThere(nowMs) && isCrowded(nowMs)) crowdedUntilMs = nowMs + CROWDED_MS;
    },
    turned: (fullness, beganMs, nowMs) => {
      const isFull = fullness >= FULL_TURN;
      rooms.heavy = isFull ? Math.max(LEAST_HEAVY_ROOM, LESS * rooms.heavy) : Math.min(1, rooms.heavy + MORE);
      // Turns are told of under overload only: before the first of one, they were not long.
      const isBehindBreak = beganMs - turnedAtMs > MOST_LONG_MS;
      if (fullness < LONG_TURN) longSinceMs = Number.NaN;
      else if (isBehindBreak || Number.isNaN(longSinceMs)) longSinceMs = nowMs;
      turnedAtMs = nowMs;
      makeRoomForOthers(nowMs);
    },
  };
}
