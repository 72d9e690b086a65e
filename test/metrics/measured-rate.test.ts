import { expect, it } from 'vitest';
import { allocateCounters, openCounters } from '../../src/metrics/counters.ts';
import { createMeasuredRate } from '../../src/metrics/measured-rate.ts';

it('is of the filter in force: what those before it let through is forgotten when they are replaced', () => {
  const slabs = [openCounters(allocateCounters()), openCounters(allocateCounters())] as const;
  let inForce = {};
  const rate = createMeasuredRate(
    () => slabs,
    () => inForce,
  );
  const count = (falsePositives: number, negatives: number) => {
    for (let i = 0; i < falsePositives; i++) slabs[i % 2]?.countFilterChecks('false_positive', 1);
    for (let i = 0; i < negatives; i++) slabs[i % 2]?.countFilterChecks('negative', 1);
  };
  expect(rate()).toBe(0);
  count(30, 70);
  expect(rate()).toBe(0.3);
  inForce = {};
  expect(rate()).toBe(0);
  count(1, 99);
  expect([rate(), rate()]).toEqual([0.01, 0.01]);
});
