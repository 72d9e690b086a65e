/** Tables, clocks and ids of the guard's tests. Ids are synthetic, as if they were hashes. */
import { createHash } from 'node:crypto';
import type { Clock } from '../../src/clock.ts';
import { allocateReplayTable, openReplayTable, type ReplayTable } from '../../src/replay/replay-table.ts';

export interface TestClock extends Clock {
  /** Time goes by, on both clocks. */
  pass(ms: number): void;
  /** Somebody sets the wall clock. */
  step(ms: number): void;
}

export function testClock(wallMs = 1_800_000_000_000, monotonicMs = 5_000): TestClock {
  let [wall, monotonic] = [wallMs, monotonicMs];
  return {
    wallMs: () => wall,
    monotonicMs: () => monotonic,
    pass: (ms) => {
      wall += ms;
      monotonic += ms;
    },
    step: (ms) => {
      wall += ms;
    },
  };
}

export function makeTable(capacity: number, nowMs: number): ReplayTable {
  return openReplayTable(allocateReplayTable(capacity, nowMs));
}

export function idOf(name: string | number): Uint8Array {
  return new Uint8Array(createHash('sha256').update(`proof ${name}`).digest().subarray(0, 16));
}
