/** What the clients saw, phase by phase. */
import type { Judgement } from './judge.ts';

export interface PhaseTally {
  readonly name: string;
  calls: number;
  /** First attempts that got no answer, or another than 200. */
  failed: number;
  /** Calls that failed when they were repeated, too. */
  failedTwice: number;
  readonly failures: Record<string, number>;
  readonly judgements: Record<Judgement, number>;
  /** Verdicts that said that the knowledge of revocations is stale. */
  stale: number;
  /** From the time at which it was to be sent (milliseconds). */
  readonly singleMs: number[];
  readonly batchMs: number[];
}

export interface Tally {
  /** From now on, calls count for a phase of this name. */
  enter(name: string): void;
  readonly now: PhaseTally;
  readonly phases: readonly PhaseTally[];
  /** Spans of time, by number, in which an answer was stale; and the greatest age that one stated. */
  readonly staleness: { readonly spans: Set<number>; greatestAgeMs: number };
  /** The first few wrong answers, for whoever has to find out. */
  readonly wrong: string[];
}

export const WRONG_KEPT = 10;
/** Long enough that one without an answer of either gateway is rare. */
export const STALE_SPAN_MS = 100;

export function createTally(first: string): Tally {
  const phases: PhaseTally[] = [];
  const enter = (name: string): void => {
    phases.push({
      name,
      calls: 0,
      failed: 0,
      failedTwice: 0,
      failures: {},
      judgements: { right: 0, 'cannot tell': 0, wrong: 0 },
      stale: 0,
      singleMs: [],
      batchMs: [],
    });
  };
  enter(first);
  return {
    enter,
    get now() {
      return phases.at(-1) as PhaseTally;
    },
    phases,
    staleness: { spans: new Set(), greatestAgeMs: 0 },
    wrong: [],
  };
}

/** The value below which a share of the values lies (nearest rank); NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
