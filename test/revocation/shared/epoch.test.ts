import { expect, it } from 'vitest';
import { FIRST_GENERATION, generationOf, isLater, newEpoch } from '../../../src/revocation/shared/epoch.ts';

it('carries its generation, also the largest, and is never the same twice', () => {
  for (const generation of [0n, FIRST_GENERATION, 2n ** 53n + 1n, 2n ** 64n - 1n]) {
    expect(generationOf(newEpoch(generation))).toBe(generation);
  }
  expect(newEpoch(1n).equals(newEpoch(1n))).toBe(false);
  expect(() => newEpoch(2n ** 64n)).toThrow(RangeError);
});

it('is later by generation, whatever the random half; among equals one and only one is', () => {
  const low = Buffer.concat([newEpoch(255n).subarray(0, 8), Buffer.alloc(8, 0xff)]);
  const high = Buffer.concat([newEpoch(256n).subarray(0, 8), Buffer.alloc(8)]);
  expect([isLater(high, low), isLater(low, high), isLater(low, low)]).toEqual([true, false, false]);
  const [a, b] = [newEpoch(7n), newEpoch(7n)];
  expect(isLater(a, b)).toBe(!isLater(b, a));
  expect(() => isLater(a, Buffer.alloc(15))).toThrow(RangeError);
});
