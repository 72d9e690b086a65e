/** The attacks of the list, each number with at least one case, each case with its one answer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Footprint, firstLook, restAfter } from './at-rest.ts';
import type { AttackCase } from './attack-case.ts';
import { type AttackTarget, openTarget } from './attack-target.ts';
import { ATTACKS } from './cases/all.ts';
import { within } from './deadlines.ts';
import { runAttacks } from './run-attacks.ts';

const LAST = 98;
/** Several times what they take on a busy machine; each case has a deadline of its own. */
const ALL_MS = 300_000;
const REST_MS = 120_000;

let target: AttackTarget;
let before: Footprint;
const got = new Map<AttackCase, string>();
// All at once, and looked at one by one: cases that wait do so side by side.
beforeAll(async () => {
  target = await openTarget();
  before = await firstLook(target);
  const run = () => runAttacks(target, ATTACKS, (row, one) => got.set(one, row.got));
  // What is known by then is told case by case.
  await within(ALL_MS, run).catch((error: Error) => console.error(`the attacks: ${error.message}`));
}, ALL_MS + REST_MS);
afterAll(() => target?.dispose());

describe('the list', () => {
  it('is there, whole', () => {
    const numbers = new Set(ATTACKS.map(({ number }) => number));
    const missing = Array.from({ length: LAST }, (_, index) => index + 1).filter(
      (number) => !numbers.has(number),
    );
    expect(missing).toEqual([]);
  });

  it('has each case once', () => {
    const names = ATTACKS.map(({ number, name }) => `${number} ${name}`);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });
});

describe('attack', () => {
  it.each(ATTACKS.map((one) => ({ number: one.number, name: one.name, one })))('$number $name', ({ one }) => {
    expect(got.get(one) ?? 'its turn did not come').toBe(one.expected);
  });
});

it(
  'memory and descriptors are back at rest',
  async () => {
    const { wrong, ...rest } = await restAfter(target, before, ATTACKS);
    expect(wrong).toEqual([]);
    expect(rest.isAtRest, JSON.stringify(rest)).toBe(true);
  },
  REST_MS,
);
