import { describe, expect, it } from 'vitest';
import type { LoadReport } from '../../bench/src/load/load-report.ts';
import { conditionResult } from '../../bench/src/suites/conditions.ts';
import { REQUEST_KINDS, type RequestKind } from '../../bench/src/suites/http-cells.ts';
import { memoryCondition, slopePerSecond } from '../../bench/src/suites/scale-memory.ts';
import { rowsOf, type WorkersCell } from '../../bench/src/suites/scale-workers.ts';
import { loadRound } from './load-round.ts';

const TICKS_PER_SECOND = 100;
const batch = REQUEST_KINDS[2] as RequestKind;

function round(requests: number, serverTicks: number): LoadReport {
  return loadRound({ requests, seconds: 10, generatorTicks: 500, serverTicks });
}

/** A sample a second, of memory that is what `mibAt` says. */
const samplesOf = (seconds: number, mibAt: (second: number) => number) =>
  Array.from({ length: seconds }, (_, second) => ({ seconds: second, mib: mibAt(second) }));

describe('rowsOf', () => {
  const cell = (workers: 1 | 2, rounds: LoadReport[]): WorkersCell => ({ kind: batch, workers, rounds });

  it('divides by CPU time, not by time, and pairs the rounds', () => {
    const one = cell(1, [round(1_000, 1_000), round(2_000, 1_000), round(1_000, 1_000)]);
    const two = cell(2, [round(1_800, 2_000), round(3_600, 2_000), round(1_600, 2_000)]);
    const [first, second, ratio] = rowsOf(one, two, TICKS_PER_SECOND);
    expect(first).toMatchObject({ credentialsPerCpuSecond: 100_000, roundsPerCpuSecond: [1e5, 2e5, 1e5] });
    expect(second).toMatchObject({ credentialsPerCpuSecond: 90_000, credentialsPerSecond: 180_000 });
    expect(ratio).toMatchObject({ measured: 0.9, pass: true });
  });

  it('misses the bar when the second worker costs too much', () => {
    const rows = rowsOf(cell(1, [round(1_000, 1_000)]), cell(2, [round(1_600, 2_000)]), TICKS_PER_SECOND);
    expect(rows.at(-1)).toMatchObject({ measured: 0.8, pass: false });
    expect(conditionResult({ rows, columns: [], facts: {}, warnings: [], wrongs: [] })).toMatchObject({
      failed: true,
      warnings: ['1 conditions are not met'],
    });
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
