/** The attacks of the list, each number with at least one case, each case with its one answer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { atRest, type Footprint, firstLook, isAtRest } from './at-rest.ts';
import { type AttackTarget, openTarget } from './attack-target.ts';
import { ATTACKS } from './cases/all.ts';
import { type AttackRow, runAttacks } from './run-attacks.ts';

const LAST = 98;
const PATIENCE_MS = 120_000;

let target: AttackTarget;
let before: Footprint;
let rows: readonly AttackRow[];
// All at once, and looked at one by one: cases that wait do so side by side.
beforeAll(async () => {
  target = await openTarget();
  before = await firstLook(target);
  rows = await runAttacks(target, ATTACKS);
}, PATIENCE_MS);
afterAll(() => target.dispose());

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
  it.each(ATTACKS.map(({ number, name, expected }, index) => ({ number, name, expected, index })))(
    '$number $name',
    ({ expected, index }) => {
      expect(rows[index]?.got).toBe(expected);
    },
  );
});

it(
  'memory and descriptors are back at rest',
  async () => {
    const after = await atRest(target, before);
    expect(isAtRest(before, after), JSON.stringify({ before, after })).toBe(true);
    await target.stillHonest();
  },
  PATIENCE_MS,
);
