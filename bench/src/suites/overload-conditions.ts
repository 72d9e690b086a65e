/** The conditions of the overload suite, judged on what the generator tells: a row each. */
import type { OpenLoopReport, PhaseTally, Slot } from '../load/open-loop.ts';
import { SLOT_SECONDS } from '../load/open-loop.ts';
import { significant } from '../statistics.ts';
import type { Row } from '../suite.ts';
import { type Condition, condition as judged } from './conditions.ts';

/** Multiples of the capacity, in order; the last one is where it recovers. */
export const LOADS = [0.5, 0.8, 1, 1.5, 2, 3, 5, 0.5] as const;
/** The load whose latency is what the others are measured by. */
const CALM_LOAD = 0.8;

export const BARS = {
  /** More than this served, as a multiple of the capacity: it was not found, and neither was twice or five times it. */
  capacity: 1.1,
  goodput: 0.9,
  latencyRatio: 2,
  memoryMiB: 256,
  recoverySeconds: 5,
  singlesServed: 0.994,
  othersServed: 0.999,
} as const;

/**
 * Of a generator that was later than this (p99) nothing is told. It is warned of from one millisecond on, which at several
 * times the capacity passes while it takes in the answers that have come at once.
 */
const WITHHELD_LAG_MS = 2;

/** The condition of a load of which nothing else is told. */
export const GENERATOR_IN_TIME = 'generator in time';

/** A slot counts as recovered when so much of it is served. */
const RECOVERED_SHARE = 0.99;

function condition(
  what: string,
  name: string,
  bar: string,
  measured: number,
  pass: boolean,
  more = {},
): Condition {
  return judged({ suite: 'overload', case: what, condition: name, bar, measured, pass, ...more });
}

/** What the row says beside its condition: where the calls of the phase went. */
export function detailsOf(tally: PhaseTally, countedSeconds: number) {
  return {
    duePerSecond: significant(tally.due / countedSeconds),
    okPerSecond: significant(tally.ok / countedSeconds),
    refusedPerSecond: significant(tally.refused / countedSeconds),
    unsentPerSecond: significant(tally.unsent / countedSeconds),
    latePerSecond: significant(tally.late / countedSeconds),
    p50Ms: significant(tally.okLatency.p50Us / 1000, 3),
    p99Ms: significant(tally.okLatency.p99Us / 1000, 3),
  };
}

/** Goodput and latency at each load from the capacity on, and how soon half of it is served again. */
export function stepConditions(
  what: string,
  stream: OpenLoopReport['streams'][number],
  { capacity, phaseSeconds, settleSeconds }: StepTimes,
): Condition[] {
  const calm = stream.phases[LOADS.indexOf(CALM_LOAD)] as PhaseTally;
  const rows: Condition[] = [];
  const counted = phaseSeconds - settleSeconds;
  for (const [phase, load] of LOADS.entries()) {
    if (load < 1) continue;
    const tally = stream.phases[phase] as PhaseTally;
    const details = { load, ...detailsOf(tally, counted) };
    const goodput = tally.ok / counted / capacity;
    const ratio = tally.okLatency.p99Us / Math.max(1, calm.okLatency.p99Us);
    const bars = BARS;
    rows.push(
      condition(what, 'goodput', `>= ${bars.goodput} of capacity`, goodput, goodput >= bars.goodput, details),
      condition(
        what,
        'p99',
        `<= ${bars.latencyRatio} x that at 0.8`,
        ratio,
        ratio <= bars.latencyRatio,
        details,
      ),
    );
  }
  // All phases but the last are of the same length.
  const most = Math.max(...stream.phases.slice(0, -1).map(({ ok }) => ok)) / counted / capacity;
  const capacityBar = `<= ${BARS.capacity} x the closed loop's served`;
  rows.push(condition(what, 'capacity was found', capacityBar, most, most <= BARS.capacity));
  const since = (LOADS.length - 1) * phaseSeconds;
  const seconds = recoverySeconds(stream.slots, since);
  rows.push(
    condition(what, 'recovery', `<= ${BARS.recoverySeconds} s`, seconds, seconds <= BARS.recoverySeconds, {
      load: 0.5,
    }),
  );
  return rows;
}

export interface StepTimes {
  /** Calls a second, in a closed loop. */
  readonly capacity: number;
  readonly phaseSeconds: number;
  readonly settleSeconds: number;
}

/**
 * The rows of a load, or where the generator was late one that fails and has no figures: what was due was not sent when it
 * was due, so nobody knows what became of it.
 */
export function unlessLate(what: string, report: OpenLoopReport, rowsOf: () => readonly Row[]): Row[] {
  const seconds = report.phaseSeconds.reduce((sum, phase) => sum + phase, 0);
  const lagMs = report.lag.p99Us / 1000;
  // It looks for answers without pause while a call is due soon: its busy core alone is no sign.
  const generator = {
    generatorLagMs: significant(lagMs, 3),
    generatorUtilisation: significant(report.cpuSeconds / seconds, 3),
  };
  if (lagMs > WITHHELD_LAG_MS)
    return [{ suite: 'overload', case: what, condition: GENERATOR_IN_TIME, pass: false, ...generator }];
  return rowsOf().map((row) => ({ ...row, ...generator }));
}

/** Seconds from `since` to the end of the last slot that was not served as it should be. */
export function recoverySeconds(slots: readonly Slot[], since: number): number {
  const first = Math.round(since / SLOT_SECONDS);
  const last = slots.findLastIndex(
    ([ok, notOk], index) => index >= first && ok < RECOVERED_SHARE * (ok + notOk),
  );
  return last < 0 ? 0 : (last + 1) * SLOT_SECONDS - since;
}

export function memoryCondition(what: string, beforeMiB: number, mostMiB: number): Condition {
  const growth = mostMiB - beforeMiB;
  const bar = `<= ${BARS.memoryMiB} MiB more than before`;
  return condition(what, 'memory', bar, growth, growth <= BARS.memoryMiB, { mostMiB: significant(mostMiB) });
}

/** Calls served of those that were due, over streams that stand for the same callers. */
export function servedCondition(
  what: string,
  name: string,
  least: number,
  tallies: readonly PhaseTally[],
  countedSeconds: number,
): Condition {
  const sum = (figure: (tally: PhaseTally) => number): number =>
    tallies.reduce((total, tally) => total + figure(tally), 0);
  const share =
    sum(({ ok }) => ok) /
    Math.max(
      1,
      sum(({ due }) => due),
    );
  const row = condition(what, name, `>= ${100 * least} % served`, share, share >= least, {
    duePerSecond: significant(sum(({ due }) => due) / countedSeconds),
    okPerSecond: significant(sum(({ ok }) => ok) / countedSeconds),
    refusedPerSecond: significant(sum(({ refused }) => refused) / countedSeconds),
    p99Ms: significant(Math.max(...tallies.map(({ okLatency }) => okLatency.p99Us)) / 1000, 3),
  });
  // Three digits would round 99.94 % up.
  return { ...row, measured: significant(share, 5) };
}
