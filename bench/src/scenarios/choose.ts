/**
 * Which item a call sends. By the number of the call alone, so that every runner sends the same, whoever of its
 * virtual users is next. Runs in Node.js and in k6.
 */
import {
  type Item,
  LEAST_CALLS_SHARE,
  type Phase,
  type Scenario,
  type ScenarioCorpus,
  type Share,
} from './plan.ts';

/** Coprime to a hundred: every hundred calls in a row hold each share exactly, well mixed. */
const STRIDE = 37;
const ZIPF_EXPONENT = 1.1;
/** A kind that is due so often cannot be missing by the few calls that are not sent. */
const OFTEN = 5;
/** All kinds come round in far fewer. */
const MOST_CALLS_LOOKED_AT = 5_000;

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

/** The least number of calls of a run that has proven something. */
export function leastCalls({ phases, mayRefuse }: Scenario): number {
  if (mayRefuse === true) return 1;
  return Math.max(1, Math.floor(LEAST_CALLS_SHARE * callsDue(phases, secondsOf(phases))));
}

/** Likewise of its revocations; without any, none. */
export function leastRevocations({ phases, revocationsPerSecond = 0 }: Scenario): number {
  return Math.floor(LEAST_CALLS_SHARE * revocationsPerSecond * secondsOf(phases));
}

/** What single calls hold beside good cards, where the run is long enough for each to come often. */
export function kindsDue(scenario: Scenario, corpus: ScenarioCorpus): string[] {
  if (scenario.lot !== undefined) return [];
  const calls = Math.min(MOST_CALLS_LOOKED_AT, callsDue(scenario.phases, secondsOf(scenario.phases)));
  const counts = new Map<string, number>();
  for (let call = 0; call < calls; call++) {
    const { kind } = itemAt(scenario, corpus, call);
    if (kind !== 'good') counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => count >= OFTEN).map(([kind]) => kind);
}
