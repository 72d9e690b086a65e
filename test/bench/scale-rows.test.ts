import { describe, expect, it } from 'vitest';
import { conditionResult } from '../../bench/src/suites/conditions.ts';
import { memoryCondition, slopePerSecond } from '../../bench/src/suites/scale-memory.ts';
import {
  rowsOf,
  WORKERS_LOADS,
  type WorkersCell,
  type WorkersLoad,
  type WorkersRound,
} from '../../bench/src/suites/scale-workers.ts';

const [judged, told] = [WORKERS_LOADS[0], WORKERS_LOADS[1]] as [WorkersLoad, WorkersLoad];

function round(credentials: number, serverSeconds: number, lostShare = 0): WorkersRound {
  return {
    ...{ seconds: 10, credentials, serverSeconds, generatorSeconds: 5 },
    ...{ p99Ms: 1, lostShare, callsPerTurn: 40 },
  };
}

/** A sample a second, of memory that is what `mibAt` says. */
const samplesOf = (seconds: number, mibAt: (second: number) => number) =>
  Array.from({ length: seconds }, (_, second) => ({ seconds: second, mib: mibAt(second) }));

describe('rowsOf', () => {
  const cell = (workers: 1 | 2, rounds: WorkersRound[], load = judged): WorkersCell => ({
    ...{ load, workers, rounds },
    atOnce: 64,
  });

  it('divides by CPU time, not by time, and pairs the rounds', () => {
    const one = cell(1, [round(1_000_000, 10), round(2_000_000, 10), round(1_000_000, 10)]);
    const two = cell(2, [round(1_800_000, 20), round(3_600_000, 20), round(1_600_000, 20)]);
    const [first, second, ratio] = rowsOf([one, two]);
    expect(first).toMatchObject({ credentialsPerCpuSecond: 100_000, roundsPerCpuSecond: [1e5, 2e5, 1e5] });
    expect(second).toMatchObject({ credentialsPerCpuSecond: 90_000, credentialsPerSecond: 180_000 });
    expect(ratio).toMatchObject({ measured: 0.9, pass: true, roundsMeasured: [0.9, 0.9, 0.8] });
  });

  it('holds two against the better of one, in each round', () => {
    const ones = [
      cell(1, [round(1_000, 10), round(2_000, 10)]),
      cell(1, [round(2_000, 10), round(1_000, 10)]),
    ];
    const rows = rowsOf([...ones, cell(2, [round(3_000, 20), round(3_000, 20)])]);
    expect(rows.at(-1)).toMatchObject({ roundsMeasured: [0.75, 0.75], pass: false });
  });

  it('misses the bar when the second worker costs too much, or either served others than it should', () => {
    const rows = rowsOf([cell(1, [round(1_000, 10)]), cell(2, [round(1_600, 20)])]);
    expect(rows.at(-1)).toMatchObject({ measured: 0.8, pass: false });
    expect(conditionResult({ rows, columns: [], facts: {}, warnings: [], wrongs: [] })).toMatchObject({
      failed: true,
      warnings: ['1 conditions are not met'],
    });
    const refusing = rowsOf([cell(1, [round(1_000, 10, 0.002)]), cell(2, [round(2_000, 20)])]);
    expect(refusing.at(-1)).toMatchObject({ measured: 1, pass: false });
  });

  it('judges nothing where the workers have too little company to be judged by, and tells it all the same', () => {
    const rows = rowsOf([cell(1, [round(1_000, 10)], told), cell(2, [round(1_400, 20)], told)]);
    expect(rows.at(-1)).toMatchObject({ measured: 0.7 });
    expect(rows.at(-1)).not.toHaveProperty('pass');
    expect(rows[0]).toMatchObject({ case: 'single, 64 at once, 1 of workers', callsPerTurn: 40 });
  });
});

describe('memoryCondition', () => {
  it('does not count the warm-up, and tells no peak of a second from the median', () => {
    const samples = samplesOf(600, (second) => (second < 60 ? 50 : second === 300 ? 900 : 200));
    const row = memoryCondition(samples, 600, {});
    expect(row).toMatchObject({ measured: 0, pass: true, meanMiB: 200, warmUpSeconds: 60 });
    expect(row.windowsMiB).toHaveLength(18);
  });

  it('misses the bar when memory grows', () => {
    const row = memoryCondition(
      samplesOf(600, (second) => 200 + second / 10),
      600,
      {},
    );
    expect(row).toMatchObject({ pass: false, slopeMiBPerHour: 360 });
  });

  it('misses the bar when one half minute is away from the others', () => {
    const far = samplesOf(600, (second) => (second >= 300 && second < 330 ? 215 : 200));
    expect(memoryCondition(far, 600, {})).toMatchObject({ pass: false, mostMiB: 215 });
  });

  it('has windows for short runs too', () => {
    const row = memoryCondition(
      samplesOf(15, () => 200),
      15,
      {},
    );
    expect(row).toMatchObject({ pass: true, warmUpSeconds: 7.5, windowsMiB: [200, 200, 200, 200] });
  });
});

describe('slopePerSecond', () => {
  it('is that of the line through the samples', () => {
    expect(slopePerSecond(samplesOf(10, (second) => 5 - 2 * second))).toBeCloseTo(-2);
    expect(slopePerSecond(samplesOf(1, () => 5))).toBe(0);
  });
});
