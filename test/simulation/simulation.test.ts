/** That the simulation is one: the same seed the same run, faults that strike, and a protocol that needs its parts. */
import { describe, expect, it } from 'vitest';
import { toJsonLines } from '../history/history.ts';
import { FAULTS } from './faults.ts';
import { simulate } from './simulation.ts';

describe('a simulated run', () => {
  it('is the same for the same seed, to the byte, and another for another', async () => {
    const [one, again, other] = [await simulate(17), await simulate(17), await simulate(18)];
    expect(again.trace).toEqual(one.trace);
    expect(toJsonLines(again.history)).toBe(toJsonLines(one.history));
    expect(other.trace).not.toEqual(one.trace);
  });

  it('meets every kind of fault, acknowledges changes and heals', async () => {
    const met = new Set<string>();
    const totals = { acknowledged: 0, healings: 0, reconciliations: 0 };
    for (let seed = 1; seed <= 80; seed++) {
      const { trace, counts } = await simulate(seed);
      for (const line of trace) met.add(/ fault: (.*)$/.exec(line)?.[1] ?? '');
      totals.acknowledged += counts.acknowledged;
      totals.healings += counts.healings;
      totals.reconciliations += counts.reconciliations;
    }
    expect(Object.keys(FAULTS).filter((name) => !met.has(name))).toEqual([]);
    expect(totals.acknowledged).toBeGreaterThan(200);
    expect(totals.healings).toBeGreaterThan(40);
    expect(totals.reconciliations).toBeGreaterThan(10);
  });
});

describe('a protocol without one of its parts', () => {
  // Seeds found with `npm run simulate -- --seeds 4000 --without PART`; with the part they pass.
  it.each([
    ['no settling', 107],
    ['unproven primary', 93],
    ['no hold', 3463],
  ] as const)('%s: bounded staleness fails', async (weakness, seed) => {
    const { violations } = await simulate(seed, weakness);
    expect(violations.map(({ invariant }) => invariant)).toContain('I4');
    expect((await simulate(seed)).violations).toEqual([]);
  });
});
