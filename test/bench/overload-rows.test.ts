/** Rows of the overload suite: what they are worth where the generator was late or the capacity was not found. */
import { describe, expect, it } from 'vitest';
import type { PhaseTally, Slot } from '../../bench/src/load/open-loop.ts';
import {
  RUNS,
  recoverySeconds,
  type StepRun,
  servedCondition,
  stepRows,
} from '../../bench/src/suites/overload-conditions.ts';
import { medianRows } from '../../bench/src/suites/overload-rounds.ts';

const latencies = (p99Us: number) => ({ count: 1_000, p50Us: 100, p99Us, p999Us: p99Us, maxUs: p99Us });

function tally(load: number, ok: number): PhaseTally {
  const counts = {
    due: load * 1_000,
    ok,
    refused: 0,
    unsent: load * 1_000 - ok,
    late: 0,
    broken: 0,
    wrong: 0,
  };
  return { ...counts, okLatency: latencies(500), refusedLatency: latencies(500) };
}

/** Two seconds a phase; where it recovers all are served, but for the first quarter. */
const slotsOf = (loads: readonly number[]): Slot[] =>
  loads.flatMap((_, phase) =>
    Array.from({ length: 8 }, (_slot, index): Slot => [100, phase > 0 && index === 0 ? 50 : 0, 400]),
  );

/** A second counted of each phase, at most so many calls of which are served. */
function runsOf(most: number, lagUs: (loads: readonly number[]) => number = () => 200): StepRun[] {
  return RUNS.map((loads) => ({
    loads,
    capacity: 1_000,
    report: {
      cpuSeconds: loads.length,
      phaseSeconds: loads.map(() => 2),
      lag: latencies(lagUs(loads)),
      streams: [
        {
          name: 'single',
          phases: loads.map((load) => tally(load, Math.min(load * 1_000, most))),
          slots: slotsOf(loads),
        },
      ],
    },
  }));
}

const rowsOf = (runs: readonly StepRun[]) => stepRows('single', runs, { phaseSeconds: 2, settleSeconds: 1 });
const STEPS = 5;

describe('the steps of the overload suite', () => {
  it('hold where the capacity is served whatever is due, and say how busy and how late the generator was', () => {
    const rows = rowsOf(runsOf(1_000));
    expect(rows.filter(({ pass }) => pass === false)).toEqual([]);
    expect(rows.filter(({ pass }) => pass === true)).toHaveLength(2 * STEPS + 3);
    expect(rows.slice(0, 2)).toMatchObject([
      { load: 0.5, ofCapacity: 0.5 },
      { load: 0.8, ofCapacity: 0.8 },
    ]);
    expect(rows.slice(-3)).toMatchObject([
      { condition: 'recovery', measured: 0.25 },
      { condition: 'capacity was found', measured: 1 },
      { condition: '0.8 was calm', measured: 1 },
    ]);
    for (const row of rows.slice(0, -2))
      expect(row).toMatchObject({ generatorLagMs: 0.2, generatorUtilisation: 0.5 });
  });

  it('are held against the capacity as it was beside each of them', () => {
    const runs = runsOf(1_000).map((run) => ({ ...run, capacity: run.loads[0] === 3 ? 1_250 : 1_000 }));
    const missed = rowsOf(runs).filter(({ pass }) => pass === false);
    expect(missed).toMatchObject([{ load: 3, condition: 'goodput', measured: 0.8, ofCapacity: 0.8 }]);
  });

  it('fail where more is served than the capacity that all of them are multiples of', () => {
    const missed = rowsOf(runsOf(1_970)).filter(({ pass }) => pass === false);
    expect(missed).toMatchObject([{ condition: 'capacity was found', measured: 1.97 }]);
  });

  it('have no figures, and fail, where the generator was late', () => {
    const rows = rowsOf(runsOf(1_000, (loads) => (loads[0] === 2 ? 50_000 : 200)));
    expect(rows.filter(({ pass }) => pass === false)).toEqual([
      {
        ...{ suite: 'overload', case: 'single', load: 2, condition: 'generator in time', pass: false },
        ...{ generatorLagMs: 50, generatorUtilisation: 0.5 },
      },
    ]);
    expect(rows.filter(({ pass }) => pass === true)).toHaveLength(2 * (STEPS - 1) + 3);
    expect(rowsOf(runsOf(1_000, () => 50_000)).map(({ condition }) => condition)).toEqual(
      RUNS.map(() => 'generator in time'),
    );
  });

  it('are not compared with a load at which the machine was not calm', () => {
    const missed = rowsOf(runsOf(780)).filter(({ pass }) => pass === false);
    expect(missed.filter(({ condition }) => condition !== 'goodput')).toMatchObject([
      { condition: '0.8 was calm', measured: 0.975 },
    ]);
    expect(rowsOf(runsOf(780)).filter(({ condition }) => condition === 'p99')).toEqual([]);
  });

  it('have not recovered where nothing is known of that', () => {
    expect(recoverySeconds([[100, 0, 400]], 2)).toBe(Number.POSITIVE_INFINITY);
    const slots = slotsOf([5, 0.5]);
    expect(recoverySeconds(slots, 2)).toBe(0.25);
    expect(recoverySeconds([...slots, [0, 100, 0]], 2)).toBe(2.25);
  });

  it('are not compared with a calm load of which nothing is known', () => {
    const rows = rowsOf(runsOf(1_000, (loads) => (loads[0] === 0.5 ? 50_000 : 200)));
    expect(rows.filter(({ condition }) => condition === 'p99')).toEqual([]);
    expect(rows.filter(({ condition }) => condition === 'goodput')).toHaveLength(STEPS);
    expect(rows[0]).toMatchObject({ load: 0.5, condition: 'generator in time', pass: false });
  });
});

describe('callers of whom a share is to be served', () => {
  it('are judged by what was served, not by what is printed of it', () => {
    const of = (ok: number) =>
      servedCondition({ case: 'hog', load: 1.14 }, 'the others', 0.999, [tally(1_000, ok)], 1);
    expect(of(999_000)).toMatchObject({ load: 1.14, bar: '>= 99.9 % served', measured: 0.999, pass: true });
    expect(of(998_996)).toMatchObject({ measured: 0.999, pass: false });
  });
});

describe('the rounds of the overload suite', () => {
  const round = (measured: number) => [
    { suite: 'overload', case: 'single', load: 0.5, okPerSecond: 1_000 * measured },
    { suite: 'overload', case: 'single', load: 2, condition: 'goodput', measured, pass: measured >= 0.9 },
    { suite: 'overload', case: 'single', load: 2, condition: 'p99', measured: 1, pass: true },
  ];

  it('make one, with the median of each figure, which is met where most of them are', () => {
    expect(medianRows([round(0.95), round(0.7), round(0.91)])).toEqual([
      { suite: 'overload', case: 'single', load: 0.5, okPerSecond: 910 },
      {
        ...{ suite: 'overload', case: 'single', load: 2, condition: 'goodput' },
        ...{ measured: 0.91, pass: true, roundsMeasured: [0.95, 0.7, 0.91] },
      },
      {
        ...{ suite: 'overload', case: 'single', load: 2, condition: 'p99' },
        ...{ measured: 1, pass: true, roundsMeasured: [1, 1, 1] },
      },
    ]);
    expect(medianRows([round(0.95), round(0.7), round(0.8)])[1]).toMatchObject({
      measured: 0.8,
      pass: false,
    });
  });

  it('of which one generator was late are judged by the others', () => {
    const late = [{ suite: 'overload', case: 'single', condition: 'generator in time', pass: false }];
    const rows = medianRows([round(0.95), late, round(0.91)]);
    expect(rows.filter(({ pass }) => pass === false)).toEqual([]);
    expect(rows[1]).toMatchObject({ measured: 0.93, roundsMeasured: [0.95, 0.91] });
    expect(rows.at(-1)).toMatchObject({ condition: 'generator in time', pass: true });
  });

  it('do not meet what most of them have no figures of, and say that the generator was late', () => {
    const late = [{ suite: 'overload', case: 'single', condition: 'generator in time', pass: false }];
    const rows = medianRows([round(0.95), late, late]);
    expect(rows.filter(({ pass }) => pass === true)).toEqual([]);
    expect(rows.at(-1)).toMatchObject({ condition: 'generator in time', pass: false });
  });
});
