/**
 * Who used how much of late: what fairness under overload is judged by. Kept in a sketch
 * of fixed size (count-min) under a random seed, so that neither many addresses nor chosen ones make it grow or lie
 * much: two clients are taken for one only where both rows say so.
 */
import { randomInt } from 'node:crypto';

const SLOTS = 16_384;
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
/** Below this mean (work of a single call is 1) a client's figure is chance: then nobody is light or heavy. */
const LEAST_MEAN = 12;

export type ClientWeight = 'light' | 'usual' | 'heavy';

export interface ClientShares {
  /** How the client's use of late stands to that of the others. */
  weigh(mark: Uint8Array): ClientWeight;
  /** The client has cost so much work, in single calls. */
  charge(mark: Uint8Array, work: number): void;
  /** Lets the past fade; cheap when called more often than needed. */
  fade(nowMs: number): void;
}

export function createClientShares(seed: number = randomInt(2 ** 32)): ClientShares {
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
  let first = 0;
  let second = 0;

  /** Sets the client's place in each row. */
  const find = (mark: Uint8Array): void => {
    const hash = hashMark(mark, seed);
    first = hash & (SLOTS - 1);
    second = SLOTS + ((hash >>> 16) & (SLOTS - 1));
  };
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
      if (used === 0 || total * worth < LEAST_MEAN * used) return 'usual';
      find(mark);
      const use = Math.min(rows[first] as number, rows[second] as number) * used;
      // Alone, a client has no share that could be more than another's.
      if (use > HEAVY * total && used > 1) return 'heavy';
      return use < LIGHT * total ? 'light' : 'usual';
    },
    charge: (mark, work) => {
      find(mark);
      const added = work / worth;
      if (rows[first] === 0) used++;
      total += added;
      rows[first] = (rows[first] as number) + added;
      rows[second] = (rows[second] as number) + added;
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

/**
 * A client is a caller with a name (five bytes), an IPv4 address, or the 64 bits of an IPv6 network: its owner has all
 * addresses behind them. IPv4 comes as four bytes or, on a listener for both, mapped into sixteen.
 */
function hashMark(mark: Uint8Array, seed: number): number {
  const isMapped = mark.length === 16 && isIpv4Mapped(mark);
  const from = isMapped ? 12 : 0;
  const to = mark.length === 16 && !isMapped ? 8 : mark.length;
  let hash = seed | 0;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ (mark[i] as number), 0x5bd1e995) ^ (hash >>> 13);
  // The finisher of MurmurHash3: every bit of the address reaches every bit of both places.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function isIpv4Mapped(address: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (address[i] !== 0) return false;
  return address[10] === 0xff && address[11] === 0xff;
}
