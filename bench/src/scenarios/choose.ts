/**
 * Which item a call sends. By the number of the call alone, so that every runner sends the same, whoever of its
 * virtual users is next. Runs in Node.js and in k6.
 */
import type { Item, Phase, Scenario, ScenarioCorpus, Share } from './plan.ts';

/** Coprime to a hundred: every hundred calls in a row hold each share exactly, well mixed. */
const STRIDE = 37;
const ZIPF_EXPONENT = 1.1;

export function itemAt(scenario: Scenario, corpus: ScenarioCorpus, call: number): Item {
  const slot = (call * STRIDE) % 100;
  let begin = 0;
  for (const share of scenario.mix) {
    if (slot < begin + share.percent) {
      const pool = corpus[share.pool];
      return pool[placeOf(share, pool.length, call, slot - begin)] as Item;
    }
    begin += share.percent;
  }
  throw new Error('the shares of a scenario must make a hundred');
}

function placeOf({ order, percent }: Share, size: number, call: number, slot: number): number {
  if (order === 'zipf') return zipfRank(size, randomOf(call));
  return (Math.floor(call / 100) * percent + slot) % size;
}

/** By the inverse of the law's continuous form: exact enough for load, and no table. */
function zipfRank(size: number, random: number): number {
  const power = 1 - ZIPF_EXPONENT;
  const rank = (((size + 1) ** power - 1) * random + 1) ** (1 / power);
  return Math.min(size - 1, Math.floor(rank) - 1);
}

/** From 0 to below 1: the number's bits, well stirred. */
function randomOf(call: number): number {
  let bits = Math.imul(call + 0x9e3779b9, 0x21f0aaad);
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
  return ((bits ^ (bits >>> 15)) >>> 0) / 2 ** 32;
}

/** Calls due from the start up to an instant. */
export function callsDue(phases: readonly Phase[], seconds: number): number {
  let due = 0;
  let begin = 0;
  for (const { seconds: length, from, to } of phases) {
    const passed = Math.min(Math.max(seconds - begin, 0), length);
    const rate = from + ((to - from) * passed) / length;
    due += ((from + rate) / 2) * passed;
    begin += length;
  }
  return due;
}

export function secondsOf(phases: readonly Phase[]): number {
  return phases.reduce((sum, { seconds }) => sum + seconds, 0);
}
