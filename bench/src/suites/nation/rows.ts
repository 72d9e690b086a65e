/** Rows of the nation suite: what was asked for, what came of it, what was expected, and whether it holds. */
import type { PhaseTally } from '../../load/open-loop.ts';
import { significant } from '../../statistics.ts';
import type { Row } from '../../suite.ts';
import { type BasisName, EXPECTED } from './workload.ts';

export interface PartResult {
  readonly rows: readonly Row[];
  readonly warnings: readonly string[];
  /** Answers that should not have been given, or rows that cannot be judged: the run counts for nothing. */
  readonly wrongs: readonly string[];
}

/** Cores kept busy while a phase lasted. */
export interface CpuUse {
  readonly gatewayCores: readonly number[];
  readonly redisCores: number;
  readonly generatorCores: number;
}

export interface Phase {
  readonly part: string;
  readonly what: string;
  readonly basis: readonly BasisName[];
  /** Calls a second over all streams, and the items of a call. */
  readonly askedPerSecond: number;
  readonly items?: number;
  readonly seconds: number;
  /** What became of the calls, at each gateway. */
  readonly tallies: readonly PhaseTally[];
  /** How late the generator itself was in the whole run, p99. */
  readonly generatorLagMs: number;
  readonly use: CpuUse;
  /** Whether the counter's expectations hold for these calls, or only that they are served. */
  readonly expects: 'counter' | 'served';
}

/** Above this the latencies are the generator's as well. */
const LAG_LIMIT_MS = 1;
/** Of fewer calls a p99.9 would rest on a handful of the slowest: it is neither told nor judged. */
const P999_SAMPLES = 10_000;
/** Calls come at random (Poisson): fewer than asked for by more than so many standard deviations is no chance. */
const CHANCE_SIGMAS = 5;

/**
 * A lateness of the generator is in every latency and makes it longer, never shorter: what holds in spite of it holds.
 * What does not is not judged, and has no figures.
 */
export function phaseRow(phase: Phase): Row {
  const { part, what, basis, items = 1, tallies, seconds, use } = phase;
  const sum = (figure: (tally: PhaseTally) => number): number =>
    tallies.reduce((total, tally) => total + figure(tally), 0);
  const worst = (figure: (tally: PhaseTally) => number): number => Math.max(...tallies.map(figure));
  const due = sum((tally) => tally.due);
  const ok = sum((tally) => tally.ok);
  // Of each gateway, since the worse one's figures are told.
  const samples = Math.min(...tallies.map(({ okLatency }) => okLatency.count));
  const hasP999 = samples >= P999_SAMPLES;
  const figures = {
    achievedPerSecond: significant((ok * items) / seconds),
    p50Ms: significant(worst(({ okLatency }) => okLatency.p50Us) / 1000, 3),
    p99Ms: significant(worst(({ okLatency }) => okLatency.p99Us) / 1000, 3),
    ...(hasP999 && { p999Ms: significant(worst(({ okLatency }) => okLatency.p999Us) / 1000, 3) }),
    maxMs: significant(worst(({ okLatency }) => okLatency.maxUs) / 1000, 3),
    servedPercent: significant((100 * ok) / Math.max(1, due), 5),
  };
  const holds = isServed(ok, due) && (phase.expects === 'served' || isSoonEnough(figures));
  const expected = phase.askedPerSecond * seconds;
  const wasAsked = due >= expected - CHANCE_SIGMAS * Math.sqrt(expected);
  const isLate = phase.generatorLagMs > LAG_LIMIT_MS;
  const generatorWasBottleneck = !wasAsked || (isLate && !holds);
  return {
    suite: 'nation',
    part,
    what,
    basis: basis.join(' '),
    askedPerSecond: phase.askedPerSecond * items,
    samples,
    ...(!generatorWasBottleneck && figures),
    wrong: sum((tally) => tally.wrong),
    gatewayCores: use.gatewayCores.map((cores) => significant(cores, 3)),
    redisCores: significant(use.redisCores, 3),
    generatorCores: significant(use.generatorCores, 3),
    generatorLagMs: significant(phase.generatorLagMs, 3),
    generatorWasBottleneck,
    expectation: phase.expects === 'counter' ? `${hasP999 ? COUNTER : COUNTER_OF_FEW}, ${SERVED}` : SERVED,
    ...(!generatorWasBottleneck && { pass: holds && sum((tally) => tally.wrong) === 0 }),
    calls: {
      due,
      ok,
      refused: sum((tally) => tally.refused),
      unsent: sum((tally) => tally.unsent),
      late: sum((tally) => tally.late),
      broken: sum((tally) => tally.broken),
    },
    seconds: significant(seconds),
  };
}

/** In the order of the columns: p50, p99 and, of calls enough, p99.9. */
const COUNTER = `< ${EXPECTED.p50Ms} / ${EXPECTED.p99Ms} / ${EXPECTED.p999Ms} ms`;
const COUNTER_OF_FEW = `< ${EXPECTED.p50Ms} / ${EXPECTED.p99Ms} ms`;
const SERVED = `${100 * EXPECTED.servedShare} %`;

function isServed(ok: number, due: number): boolean {
  return due > 0 && ok / due >= EXPECTED.servedShare;
}

function isSoonEnough(figures: { p50Ms: number; p99Ms: number; p999Ms?: number }): boolean {
  const { p50Ms, p99Ms, p999Ms = 0 } = figures;
  return p50Ms < EXPECTED.p50Ms && p99Ms < EXPECTED.p99Ms && p999Ms < EXPECTED.p999Ms;
}

export interface Figure {
  readonly part: string;
  readonly what: string;
  readonly basis: readonly BasisName[];
  readonly value: number;
  readonly unit: string;
  readonly expectation?: string;
  readonly pass?: boolean;
  /** Further members, for `--json` and for columns that other rows have. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** A figure that is no latency: hours, seconds until something holds, a share. */
export function figureRow({ part, what, basis, value, unit, expectation, pass, more }: Figure): Row {
  return {
    suite: 'nation',
    part,
    what,
    basis: basis.join(' '),
    value: significant(value, 3),
    unit,
    ...(expectation !== undefined && { expectation }),
    ...(pass !== undefined && { pass }),
    ...more,
  };
}

/** What a reader must know of rows that a late or saturated generator spoilt, and of wrong answers. */
export function complaintsAbout(rows: readonly Row[]): Pick<PartResult, 'warnings' | 'wrongs'> {
  // Rows of the same run have the same lateness, and are told of once.
  const warnings = new Set<string>();
  const wrongs: string[] = [];
  for (const { part, what, wrong, generatorWasBottleneck, generatorLagMs } of rows) {
    if (Number(wrong ?? 0) > 0)
      wrongs.push(`${part}, ${what}: ${wrong} answers were neither right nor a refusal`);
    const late = generatorLagMs === undefined ? '' : ` (late by ${generatorLagMs} ms, p99)`;
    if (generatorWasBottleneck === true) {
      wrongs.push(`${part}, ${what}: no figures, since the generator was the bottleneck${late}`);
    } else if (Number(generatorLagMs ?? 0) > LAG_LIMIT_MS) {
      warnings.add(`${part}: latencies are upper bounds, the generator was late itself${late}`);
    }
  }
  return { warnings: [...warnings], wrongs };
}
