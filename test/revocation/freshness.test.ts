import { expect, it } from 'vitest';
import { attachFreshness, createFreshness } from '../../src/revocation/freshness.ts';
import { FRESHNESS_LIMITS, testClock } from './store-fixture.ts';

it('is expired, at infinite age, until the first beat', () => {
  const clock = testClock();
  expect(createFreshness(clock, FRESHNESS_LIMITS).read()).toEqual({
    state: 'expired',
    ageMs: Infinity,
    seq: 0,
  });
});

it.each([
  [0, 'fresh'],
  [5_000, 'fresh'],
  [5_001, 'stale'],
  [60_000, 'stale'],
  [60_001, 'expired'],
] as const)('at an age of %d ms is %s', (ageMs, state) => {
  const clock = testClock();
  const freshness = createFreshness(clock, { staleAfterMs: 5_000, expireAfterMs: 60_000 });
  freshness.beat(clock.monotonicMs());
  clock.advance(ageMs);
  expect(attachFreshness(clock, freshness.shared).read()).toEqual({ state, ageMs, seq: 0 });
});

it('counts from when a check began, never backwards, and not on the wall clock', () => {
  const clock = testClock();
  const freshness = createFreshness(clock, FRESHNESS_LIMITS);
  const began = clock.monotonicMs();
  clock.advance(700);
  freshness.beat(began);
  expect(freshness.read().ageMs).toBe(700);
  freshness.beat(began - 100_000);
  clock.setWall(0);
  expect(freshness.read()).toEqual({ state: 'fresh', ageMs: 700, seq: 0 });
});

it('shares the highest sequence number', () => {
  const clock = testClock();
  const freshness = createFreshness(clock, FRESHNESS_LIMITS);
  const reader = attachFreshness(clock, freshness.shared);
  freshness.publishSeq(12);
  freshness.publishSeq(11);
  expect(reader.read().seq).toBe(12);
});

it('refuses a limit below the stale age', () => {
  expect(() => createFreshness(testClock(), { staleAfterMs: 5_000, expireAfterMs: 4_999 })).toThrow(
    RangeError,
  );
});
