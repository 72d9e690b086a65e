import { expect, it } from 'vitest';
import { faultsAtRest, type GatewayAtRest } from './gateway-at-rest.ts';
import { type MemorySample, memoryLine } from './memory-line.ts';
import { slopeOf } from './page.ts';

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

it('without samples nothing is flat, unless the soak is too short for any', () => {
  expect(memoryLine([], 60).isFlat).toBe(false);
  expect(memoryLine([], 1_800).isFlat).toBe(false);
  expect(memoryLine([], 59).isFlat).toBeUndefined();
  expect(memoryLine(every2Seconds(1, (seconds) => 10 * seconds).slice(0, 20), 40).isFlat).toBeUndefined();
  expect(memoryLine(every2Seconds(1, () => 1).slice(-12), 60).isFlat).toBe(false);
});

it('what was not judged is said in words, and is no fault; what was not looked at is one', () => {
  const faultsOf = (samples: MemorySample[], seconds: number): string[] => {
    const still = { descriptorsBefore: 40, descriptorsAfter: 40, unexpectedErrors: 0, workerRestarts: 0 };
    const end: GatewayAtRest = {
      ...{ name: 'one', firstMib: 200, lastMib: 200, ...still },
      memory: memoryLine(samples, seconds),
    };
    return [...faultsAtRest(end)];
  };
  const short = every2Seconds(1, () => 200).slice(0, 15);
  expect(faultsOf(short, 30)).toEqual([]);
  expect(slopeOf(memoryLine(short, 30), 30)).toMatch(/^memory was not judged/);
  expect(faultsOf(short, 1_800)).toEqual(['one: memory was looked at too seldom to be judged']);
  expect(
    faultsOf(
      every2Seconds(30, (seconds) => 200 + seconds),
      1_800,
    ),
  ).toMatchObject([expect.stringMatching(/^one: memory rises by \d/)]);
});
