/**
 * What threads can do to one another, one step at a time: an operation on the table is held at each of its accesses to
 * shared memory in turn, while others run to their ends. Races of real threads meet few of these instants.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type ReplayTable, usedPlaces } from '../../src/replay/replay-table.ts';
import { createSweeping } from '../../src/replay/sweeping.ts';
import { createTaking, type Taken } from '../../src/replay/taking.ts';
import { makeTable, testClock } from './replay-fixture.ts';

const ACCESSES = ['load', 'store', 'add', 'sub', 'compareExchange'] as const;

/** Runs `operation`, and `meanwhile` before its access of this number. Whether it has so many. */
function heldAt(access: number, operation: () => void, meanwhile: () => void): boolean {
  const originals = ACCESSES.map((name) => [name, Atomics[name]] as const);
  let count = 0;
  const restore = (): void => {
    for (const [name, original] of originals) Object.assign(Atomics, { [name]: original });
  };
  for (const [name, original] of originals) {
    const counted = (...args: unknown[]): unknown => {
      if (count++ === access) {
        restore();
        meanwhile();
      }
      return Reflect.apply(original, Atomics, args);
    };
    Object.assign(Atomics, { [name]: counted });
  }
  try {
    operation();
  } finally {
    restore();
  }
  return count > access;
}

const CAPACITY = 8;
/** Of one bucket, whatever else they are; and a few of another. */
const idOf = (name: number): Uint8Array => new Uint8Array(16).fill(name, 1).fill(name >= 100 ? 1 : 0, 0, 1);

interface World {
  readonly table: ReplayTable;
  take(name: number): Taken;
  /** The same by another thread. */
  takeElsewhere(name: number): Taken;
  sweep(): void;
}

/** A list of these, the last one in front; an `old` one is over. */
function worldWith(names: readonly { readonly name: number; readonly isOld: boolean }[]): World {
  const clock = testClock();
  const table = makeTable(CAPACITY, clock.monotonicMs());
  const [one, other] = [createTaking(table, clock, 0), createTaking(table, clock, 0)];
  for (const { name, isOld } of names) one(idOf(name), clock.wallMs() + (isOld ? 100 : 60_000));
  clock.pass(1_000);
  const sweep = createSweeping(table, clock.monotonicMs);
  return {
    table,
    take: (name) => one(idOf(name), clock.wallMs() + 60_000),
    takeElsewhere: (name) => other(idOf(name), clock.wallMs() + 60_000),
    sweep: () => sweep(table.buckets),
  };
}

const NAMES = fc.uniqueArray(fc.record({ name: fc.integer({ min: 1, max: 6 }), isOld: fc.boolean() }), {
  selector: ({ name }) => name,
  maxLength: 5,
});
/** 0 is a sweep; beyond 100 are proofs of another bucket. */
const OPERATION = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 1, max: 8 }),
  fc.integer({ min: 101, max: 103 }),
);

it('wherever an operation is held, each proof is the first once and known from then on', () => {
  let instants = 0;
  fc.assert(
    fc.property(NAMES, OPERATION, fc.array(OPERATION, { maxLength: 5 }), (names, held, meanwhile) => {
      for (let access = 0; ; access++) {
        const world = worldWith(names);
        const answers = new Map<number, Taken[]>();
        const run = (operation: number, take: (name: number) => Taken): void => {
          if (operation === 0) {
            world.sweep();
            return;
          }
          const taken = take(operation);
          answers.set(operation, [...(answers.get(operation) ?? []), taken]);
        };
        const wasHeld = heldAt(
          access,
          () => run(held, world.take),
          () => {
            for (const operation of meanwhile) {
              // There is one who sweeps.
              if (held !== 0 || operation !== 0) run(operation, world.takeElsewhere);
            }
          },
        );
        const living = new Set(names.filter(({ isOld }) => !isOld).map(({ name }) => name));
        for (const [name, what] of answers) {
          const firsts = what.filter((taken) => taken === 'first').length;
          if (living.has(name)) expect([name, new Set(what)]).toEqual([name, new Set(['seen'])]);
          else expect(firsts).toBeLessThanOrEqual(1);
          // Held where it had no place yet, somebody else may have been the first; there is one unless there was no room.
          if (!living.has(name) && firsts === 0) expect(new Set(what)).toEqual(new Set(['full']));
          if (firsts === 1) living.add(name);
        }
        for (const name of living) expect([name, world.take(name)]).toEqual([name, 'seen']);
        world.sweep();
        for (const name of living) expect([name, world.take(name)]).toEqual([name, 'seen']);
        expect(usedPlaces(world.table)).toBe(living.size);
        if (!wasHeld) return;
        instants++;
      }
    }),
    { numRuns: 3_000 },
  );
  expect(instants).toBeGreaterThan(10_000);
});

it('a thread that ends wherever it is leaves nothing behind but one place', () => {
  const end = new Error('the thread ended here');
  for (let access = 0; ; access++) {
    const world = worldWith([
      { name: 1, isOld: false },
      { name: 2, isOld: true },
    ]);
    let wasHeld = false;
    try {
      wasHeld = heldAt(
        access,
        () => void world.take(3),
        () => {
          throw end;
        },
      );
    } catch (error) {
      if (error !== end) throw error;
      wasHeld = true;
    }
    // Whether it had taken it or not: from now on it is known.
    expect(['first', 'seen']).toContain(world.takeElsewhere(3));
    expect(world.takeElsewhere(3)).toBe('seen');
    expect(world.takeElsewhere(1)).toBe('seen');
    world.sweep();
    expect(world.takeElsewhere(4)).toBe('first');
    expect(usedPlaces(world.table)).toBeLessThanOrEqual(4);
    if (!wasHeld) return;
  }
});
