import { expect, it } from 'vitest';
import { memoryLine } from './memory-line.ts';

const MIB = 1024 ** 2;
const every2Seconds = (minutes: number, mibAt: (seconds: number) => number) =>
  Array.from({ length: minutes * 30 }, (_, i) => ({ seconds: i * 2, bytes: mibAt(i * 2) * MIB }));

it('what grows while it warms up, and then has its peaks, is flat', () => {
  const line = memoryLine(
    every2Seconds(30, (seconds) => 200 + Math.min(seconds, 250) + (seconds % 14 === 0 ? 150 : 0)),
    1_800,
  );
  expect(line.isFlat).toBe(true);
  expect(Math.abs(line.riseMib)).toBeLessThan(5);
});

it('a leak of four MiB a minute is none in a minute, and one in half an hour', () => {
  const leak = (seconds: number): number => 200 + seconds / 15;
  expect(memoryLine(every2Seconds(30, leak), 1_800)).toMatchObject({ isFlat: false, windows: 150 });
  expect(memoryLine(every2Seconds(30, leak), 1_800).mibPerMinute).toBeCloseTo(4, 6);
  expect(memoryLine(every2Seconds(1, leak), 60).isFlat).toBe(true);
});

it('what still rises in the last half is not flat, however little it is, unless the soak is too short to tell', () => {
  const slow = (seconds: number): number => 200 + seconds / 50;
  const line = memoryLine(every2Seconds(30, slow), 1_800);
  expect(line.riseMib).toBeLessThan(96);
  expect(line.lateMibPerMinute).toBeCloseTo(1.2, 6);
  expect(line.isFlat).toBe(false);
  expect(memoryLine(every2Seconds(19, slow), 1_140)).toMatchObject({
    lateMibPerMinute: Number.NaN,
    isFlat: true,
  });
  // What varies by more than it rises by tells nothing.
  const restless = (seconds: number): number => slow(seconds) + 30 * Math.sin(seconds / 90);
  expect(memoryLine(every2Seconds(30, restless), 1_800).isFlat).toBe(true);
  // What grows in the first half alone has found its size.
  const settles = (seconds: number): number => 200 + Math.min(seconds, 900) / 20;
  expect(memoryLine(every2Seconds(30, settles), 1_800).isFlat).toBe(true);
});

it('without samples nothing is flat', () => {
  expect(memoryLine([], 60).isFlat).toBe(false);
  expect(memoryLine(every2Seconds(1, () => 1).slice(-12), 60).isFlat).toBe(false);
});
