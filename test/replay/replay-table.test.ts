/** The table as one thread sees it, against a model that is nothing but a list. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { usedPlaces } from '../../src/replay/replay-table.ts';
import { createSweeping } from '../../src/replay/sweeping.ts';
import { createPrefetching, createTaking } from '../../src/replay/taking.ts';
import { idOf, makeTable, testClock } from './replay-fixture.ts';

const KEEP_MS = 30_000;

function world(capacity: number) {
  const clock = testClock();
  const table = makeTable(capacity, clock.monotonicMs());
  const take = createTaking(table, clock, KEEP_MS);
  const sweep = createSweeping(table, clock.monotonicMs);
  return {
    clock,
    table,
    take,
    prefetch: createPrefetching(table),
    sweepAll: () => sweep(table.buckets),
    takeFor: (name: string | number, lifeMs: number) => take(idOf(name), clock.wallMs() + lifeMs),
  };
}

describe('a proof', () => {
  it('is the first once, however often it is shown while it may be accepted', () => {
    const { clock, takeFor, sweepAll } = world(100);
    expect(takeFor('a', 60_000)).toBe('first');
    for (let second = 0; second < 60; second++) {
      expect(takeFor('a', 60_000 - second * 1_000)).toBe('seen');
      expect(takeFor(`other ${second}`, 1_000)).toBe('first');
      sweepAll();
      clock.pass(1_000);
    }
  });

  it('is told from every other one, by each of its bytes', () => {
    const { clock, take } = world(1_000);
    const atMs = clock.wallMs() + 1_000;
    const zero = new Uint8Array(16);
    expect(take(zero, atMs)).toBe('first');
    for (let bit = 0; bit < 128; bit++) {
      const other = new Uint8Array(16);
      other[bit >> 3] = 1 << (bit & 7);
      expect(take(other, atMs)).toBe('first');
      expect(take(other, atMs)).toBe('seen');
    }
    expect(take(zero, atMs)).toBe('seen');
    // Where it lies in somebody else's bytes makes no difference.
    expect(take(new Uint8Array(33).subarray(1, 17), atMs)).toBe('seen');
  });

  it('is kept for thirty seconds beyond its life, and then its place is free', () => {
    const { clock, table, takeFor, sweepAll } = world(1);
    expect(takeFor('a', 60_000)).toBe('first');
    expect(takeFor('b', 60_000)).toBe('full');
    clock.pass(60_000 + KEEP_MS - 200);
    sweepAll();
    expect(takeFor('a', 0)).toBe('seen');
    expect(takeFor('b', 60_000)).toBe('full');
    clock.pass(400);
    expect(usedPlaces(table)).toBe(1);
    sweepAll();
    expect(usedPlaces(table)).toBe(0);
    expect(takeFor('b', 60_000)).toBe('first');
  });

  it('is not forgotten for want of room: what is new is refused, what is known is known', () => {
    const { table, takeFor } = world(50);
    for (let i = 0; i < 50; i++) expect(takeFor(i, 60_000)).toBe('first');
    for (let i = 0; i < 100; i++) expect(takeFor(i, 60_000)).toBe(i < 50 ? 'seen' : 'full');
    expect(usedPlaces(table)).toBe(50);
  });

  it.each([1, 7, 8, 9, 20])('is forgotten at its time in a list of %d, behind all that live', (count) => {
    const { clock, table, take, sweepAll } = world(64);
    /** All of one list: the lowest bytes tell it. The last that was put there stands in front. */
    const inList = (number: number) => Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? number : 0));
    const until = (lifeMs: number) => clock.wallMs() + lifeMs;
    for (let i = 0; i < count; i++) expect(take(inList(i), until(i === 0 ? 1_000 : 60_000))).toBe('first');
    sweepAll();
    expect(usedPlaces(table)).toBe(count);
    clock.pass(KEEP_MS + 1_200);
    sweepAll();
    expect(usedPlaces(table)).toBe(count - 1);
    for (let i = 0; i < count; i++) expect(take(inList(i), until(0))).toBe(i === 0 ? 'first' : 'seen');
  });

  it('is remembered by the monotonic clock: setting the wall clock neither shortens nor prolongs that', () => {
    const { clock, takeFor, sweepAll } = world(10);
    expect(takeFor('a', 60_000)).toBe('first');
    for (const stepMs of [3_600_000, -7_200_000, 3_600_000]) {
      clock.step(stepMs);
      sweepAll();
      expect(takeFor('a', 60_000)).toBe('seen');
    }
    // Set back by less than it is kept for, it may be accepted for longer than was known, and is known for as long.
    clock.pass(59_000);
    clock.step(-20_000);
    clock.pass(20_000);
    sweepAll();
    expect(takeFor('a', 1_000)).toBe('seen');
  });

  it('without a time, or under another kind of id, is a mistake of the program', () => {
    const { take } = world(10);
    expect(() => take(idOf('a'), Number.NaN)).toThrow(RangeError);
    expect(() => take(idOf('a'), Number.POSITIVE_INFINITY)).toThrow(RangeError);
    expect(() => take(new Uint8Array(15), 1)).toThrow(RangeError);
  });
});

type Step =
  | { readonly kind: 'take'; readonly name: number; readonly lifeMs: number }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'step'; readonly ms: number }
  | { readonly kind: 'sweep' };

const STEPS: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constant('take' as const), name: fc.nat(40), lifeMs: fc.nat(90_000) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(40_000) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('step' as const),
      ms: fc.integer({ min: -90_000, max: 90_000 }),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'sweep' as const }) },
);

it('behaves as a list of who is there until when', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(STEPS, { maxLength: 200 }), (capacity, steps) => {
      const { clock, table, sweepAll, take, prefetch } = world(capacity);
      const startedAtMs = clock.monotonicMs();
      let kept: { name: number; expiry: number }[] = [];
      const now = () => (clock.monotonicMs() - startedAtMs) / 100;
      for (const step of steps) {
        if (step.kind === 'pass') clock.pass(step.ms);
        else if (step.kind === 'step') clock.step(step.ms);
        else if (step.kind === 'sweep') {
          sweepAll();
          kept = kept.filter(({ expiry }) => expiry > now());
        } else {
          const { name, lifeMs } = step;
          const isKnown = kept.some((one) => one.name === name && one.expiry > now());
          const expected = isKnown ? 'seen' : kept.length < capacity ? 'first' : 'full';
          // Changes nothing.
          prefetch(Buffer.concat([idOf(name), idOf('another')]), 2);
          expect(take(idOf(name), clock.wallMs() + lifeMs)).toBe(expected);
          if (expected === 'first') kept.push({ name, expiry: Math.ceil(now() + (lifeMs + KEEP_MS) / 100) });
        }
        expect(usedPlaces(table)).toBe(kept.length);
      }
    }),
    { numRuns: 300 },
  );
});
