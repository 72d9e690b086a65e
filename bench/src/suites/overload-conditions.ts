/** The conditions of the overload suite, judged on what the generator tells: a row each. */
import type { OpenLoopReport, PhaseTally, Slot } from '../load/open-loop.ts';
import { SLOT_SECONDS } from '../load/open-loop.ts';
import { significant } from '../statistics.ts';
import type { Row } from '../suite.ts';
import { type Condition, condition as judged } from './conditions.ts';

/**
 * Multiples of the capacity, in order. Between runs it is found anew: a minute later a machine with neighbours has another
 * one. The last load is where the gateway recovers.
 */
export const RUNS = [[0.5, 0.8], [1], [1.5], [2], [3], [5, 0.5]] as const;
/** The load whose latency is what the others are measured by. */
const CALM_LOAD = 0.8;

/** One run, and what is known of it. */
export interface StepRun {
  readonly loads: readonly number[];
  readonly report: OpenLoopReport;
  /** Calls a second that closed loops on the same connections had, before it and behind it. */
  readonly capacity: number;
}

export interface StepTimes {
  readonly phaseSeconds: number;
  readonly settleSeconds: number;
}

export const BARS = {
  /** More than this served, as a multiple of the capacity: it was not found, and neither was twice or five times it. */
  capacity: 1.1,
  goodput: 0.9,
  latencyRatio: 2,
  memoryMiB: 256,
  recoverySeconds: 5,
  singlesServed: 0.994,
  othersServed: 0.999,
  /** With less served at the calm load, the machine stood still or was slower: its latency is no measure of any other. */
  calmServed: 0.99,
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

/** What became of each load, and from the capacity on its goodput and latency; then how soon half of it is served again. */
export function stepRows(what: string, runs: readonly StepRun[], times: StepTimes): Row[] {
  const calmRun = runs.find((run) => run.loads.includes(CALM_LOAD) && !isLate(run.report));
  const calm = calmRun && phaseAt(calmRun, calmRun.loads.indexOf(CALM_LOAD));
  const calmServed = calm && shareOf([calm]);
  const isCalm = calmServed !== undefined && calmServed >= BARS.calmServed;
  const calmUs = calm && isCalm ? Math.max(1, calm.okLatency.p99Us) : undefined;
  const rows = runs.flatMap((run) =>
    unlessLate({ case: what, load: run.loads[0] as number }, run.report, () =>
      runRows(what, run, calmUs, times),
    ),
  );
  const most = Math.max(
    ...runs.filter(({ report }) => !isLate(report)).flatMap((run) => sharesServed(run, times)),
  );
  const bar = `<= ${BARS.capacity} x the closed loop's served`;
  // None of which anything is told: then each run has a row that says so.
  if (most > Number.NEGATIVE_INFINITY)
    rows.push(condition(what, 'capacity was found', bar, most, most <= BARS.capacity));
  if (calmServed !== undefined)
    rows.push(
      condition(what, `${CALM_LOAD} was calm`, `>= ${100 * BARS.calmServed} % served`, calmServed, isCalm),
    );
  return rows;
}

const phaseAt = ({ report }: StepRun, phase: number): PhaseTally =>
  report.streams[0]?.phases[phase] as PhaseTally;

/** What a phase served of the capacity. */
function shareServed(run: StepRun, phase: number, { phaseSeconds, settleSeconds }: StepTimes): number {
  return phaseAt(run, phase).ok / (phaseSeconds - settleSeconds) / run.capacity;
}

/** The same of all phases of a run but that where it recovers, which lasts longer. */
function sharesServed(run: StepRun, times: StepTimes): number[] {
  return run.loads.flatMap((_, phase) =>
    recovers(run.loads, phase) ? [] : [shareServed(run, phase, times)],
  );
}

/** Less than in the phase before: there was an overload, and it is over. */
export const recovers = (loads: readonly number[], phase: number): boolean =>
  (loads[phase] as number) < (loads[phase - 1] ?? 0);

function runRows(what: string, run: StepRun, calmUs: number | undefined, times: StepTimes): Row[] {
  return run.loads.flatMap((load, phase): Row[] => {
    if (recovers(run.loads, phase)) {
      const slots = run.report.streams[0]?.slots as readonly Slot[];
      const seconds = recoverySeconds(slots, phase * times.phaseSeconds);
      const bar = `<= ${BARS.recoverySeconds} s`;
      return [condition(what, 'recovery', bar, seconds, seconds <= BARS.recoverySeconds, { load })];
    }
    const tally = phaseAt(run, phase);
    const share = shareServed(run, phase, times);
    const details = {
      load,
      ...detailsOf(tally, times.phaseSeconds - times.settleSeconds),
      ofCapacity: significant(share, 3),
    };
    if (load < 1) return [{ suite: 'overload', case: what, ...details }];
    const goodputBar = `>= ${BARS.goodput} of capacity`;
    const rows: Row[] = [condition(what, 'goodput', goodputBar, share, share >= BARS.goodput, details)];
    if (calmUs === undefined) return rows;
    const ratio = tally.okLatency.p99Us / calmUs;
    const bar = `<= ${BARS.latencyRatio} x that at ${CALM_LOAD}`;
    return [...rows, condition(what, 'p99', bar, ratio, ratio <= BARS.latencyRatio, details)];
  });
}

export const isLate = ({ lag }: OpenLoopReport): boolean => lag.p99Us / 1000 > WITHHELD_LAG_MS;

/**
 * The rows of a load, or where the generator was late one that fails and has no figures: what was due was not sent when it
 * was due, so nobody knows what became of it.
 */
export function unlessLate(
  what: { readonly case: string; readonly load?: number },
  report: OpenLoopReport,
  rowsOf: () => readonly Row[],
): Row[] {
  const seconds = report.phaseSeconds.reduce((sum, phase) => sum + phase, 0);
  // It looks for answers without pause while a call is due soon: its busy core alone is no sign.
  const generator = {
    generatorLagMs: significant(report.lag.p99Us / 1000, 3),
    generatorUtilisation: significant(report.cpuSeconds / seconds, 3),
  };
  if (isLate(report))
    return [{ suite: 'overload', ...what, condition: GENERATOR_IN_TIME, pass: false, ...generator }];
  return rowsOf().map((row) => ({ ...row, ...generator }));
}

/** Seconds from `since` to the end of the last slot that was not served as it should be; without end where there is none. */
export function recoverySeconds(slots: readonly Slot[], since: number): number {
  const first = Math.round(since / SLOT_SECONDS);
  if (slots.length <= first) return Number.POSITIVE_INFINITY;
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
  what: { readonly case: string; readonly load?: number },
  name: string,
  least: number,
  tallies: readonly PhaseTally[],
  countedSeconds: number,
): Condition {
  const share = shareOf(tallies);
  // Three digits would round 99.94 % up.
  const details = servedDetails(tallies, countedSeconds);
  return {
    ...condition(what.case, name, `>= ${100 * least} % served`, share, share >= least, what),
    ...details,
  };
}

function shareOf(tallies: readonly PhaseTally[]): number {
  return sumOf(tallies, 'ok') / Math.max(1, sumOf(tallies, 'due'));
}

function sumOf(tallies: readonly PhaseTally[], count: 'due' | 'ok' | 'refused' | 'unsent'): number {
  return tallies.reduce((sum, tally) => sum + tally[count], 0);
}

export function servedDetails(tallies: readonly PhaseTally[], countedSeconds: number) {
  return {
    measured: significant(shareOf(tallies), 5),
    duePerSecond: significant(sumOf(tallies, 'due') / countedSeconds),
    okPerSecond: significant(sumOf(tallies, 'ok') / countedSeconds),
    refusedPerSecond: significant(sumOf(tallies, 'refused') / countedSeconds),
    unsentPerSecond: significant(sumOf(tallies, 'unsent') / countedSeconds),
    p99Ms: significant(Math.max(...tallies.map(({ okLatency }) => okLatency.p99Us)) / 1000, 3),
  };
}
