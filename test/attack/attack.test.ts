/** The attacks of the list, each number with at least one case, each case with its one answer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AttackTarget, openTarget } from './attack-target.ts';
import { ATTACKS } from './cases/all.ts';
import { runAttacks } from './run-attacks.ts';

const LAST = 98;

let target: AttackTarget;
beforeAll(async () => {
  target = await openTarget();
});
afterAll(() => target.dispose());

describe('the list', () => {
  it('is there, whole', () => {
    const numbers = new Set(ATTACKS.map(({ number }) => number));
    const missing = Array.from({ length: LAST }, (_, index) => index + 1).filter(
      (number) => !numbers.has(number),
    );
    expect(missing).toEqual([]);
  });
});

describe('attack', () => {
  it.each(ATTACKS.map((attack) => [attack.number, attack.name, attack] as const))(
    '%i %s',
    async (_number, _name, attack) => {
      const [row] = await runAttacks(target, [attack]);
      expect(row?.got).toBe(attack.expected);
    },
    60_000,
  );
});
