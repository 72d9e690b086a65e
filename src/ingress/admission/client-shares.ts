/**
 * Who used how much of late: what fairness under overload is judged by. Kept in a sketch of fixed size (count-min) that
 * marks under a seed find their places in, so that neither many addresses nor chosen ones make it grow or lie much: two
 * clients are taken for one only where both rows say so.
 */
import { type ClientMark, MARK_BITS } from './client-marks.ts';

/** Of a place in a row: the halves of a mark are its places in the two. */
const SLOT_BITS = MARK_BITS / 2;
const SLOTS = 2 ** SLOT_BITS;
/**
 * What a client had so long ago counts half as much. Longer than refusals are held back: a hog whose connections are
 * all held would be a newcomer when they come back.
 */
const HALF_LIFE_MS = 1_000;
const FADE_INTERVAL_MS = 5;
/** Between two walks through all slots, which count the clients that are left. */
const WALK_INTERVAL_MS = 250;
/** What is less is no client any more. */
const LEAST_USE = 0.01;
/** A client is heavy beyond so many times the mean, light up to such a part of it. */
const HEAVY = 1.3;
const LIGHT = 0.5;
/**
 * Below this mean (work of a single call is 1) a client's figure is chance: then nobody is light, and heavy only who has
 * many times as much and such a part of all, or many addresses with a call each would hide whoever has the rest.
 */
const LEAST_MEAN = 12;
const HEAVY_BESIDE_FEW = 4 * LEAST_MEAN;
const HEAVY_PART = 0.25;

export type ClientWeight = 'light' | 'usual' | 'heavy';

export interface ClientShares {
  /** How the client's use of late stands to that of the others. */
  weigh(mark: ClientMark): ClientWeight;
  /** The client has cost so much work, in single calls. */
  charge(mark: ClientMark, work: number): void;
  /** Lets the past fade; cheap when called more often than needed. */
  fade(nowMs: number): void;
}

export function createClientShares(): ClientShares {
  const rows = new Float64Array(2 * SLOTS);
  /**
   * What fades is not what stands in the rows but what one of it is worth, so that time passes at no cost; a walk makes
   * the rows what they are worth.
   */
  let worth = 1;
  let fadedAtMs = Number.NEGATIVE_INFINITY;
  let walkedAtMs = Number.NEGATIVE_INFINITY;
  /** Of the first row: all that stands there, and in how many slots. */
  let total = 0;
  let used = 0;
  const walk = (): void => {
    total = 0;
    used = 0;
    for (let i = 0; i < rows.length; i++) {
      const use = (rows[i] as number) * worth;
      rows[i] = use < LEAST_USE ? 0 : use;
      if (i >= SLOTS || use < LEAST_USE) continue;
      total += use;
      used++;
    }
    worth = 1;
  };
  return {
    weigh: (mark) => {
      if (used === 0) return 'usual';
      const own = Math.min(rows[first(mark)] as number, rows[second(mark)] as number);
      const isMeanChance = total * worth < LEAST_MEAN * used;
      // Alone, a client has no share that could be more than another's.
      const isBeyond = used > 1 && own * used > HEAVY * total;
      const standsOut = own * worth >= HEAVY_BESIDE_FEW && own > HEAVY_PART * total;
      if (isBeyond && (!isMeanChance || standsOut)) return 'heavy';
      return own * used < LIGHT * total && !isMeanChance ? 'light' : 'usual';
    },
    charge: (mark, work) => {
      const added = work / worth;
      const before = rows[first(mark)] as number;
      if (before === 0) used++;
      total += added;
      rows[first(mark)] = before + added;
      rows[second(mark)] = (rows[second(mark)] as number) + added;
    },
    fade: (nowMs) => {
      if (nowMs - fadedAtMs < FADE_INTERVAL_MS) return;
      worth *= 0.5 ** ((nowMs - fadedAtMs) / HALF_LIFE_MS);
      fadedAtMs = nowMs;
      if (nowMs - walkedAtMs < WALK_INTERVAL_MS) return;
      walkedAtMs = nowMs;
      walk();
    },
  };
}

/** The mark's place in each row. */
function first(mark: ClientMark): number {
  return mark & (SLOTS - 1);
}

function second(mark: ClientMark): number {
  return SLOTS + (mark >>> SLOT_BITS);
}
