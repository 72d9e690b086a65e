/** Fairness by caller, in figures: beside one with ten times their connections, 99.9 % of the others' calls are served. */
import { expect, it } from 'vitest';
import { besideHog } from '../../support/caller-hog.ts';

/** As many as may fail three times. */
const ANSWERS = 4_000;

it('beside a caller with ten times the connections, 99.9 % of the calls of others are served', {
  timeout: 600_000,
}, async () => {
  const { hog, others, samples } = await besideHog(ANSWERS);
  expect(hog.refused).toBeGreaterThan(hog.served / 10);
  const sum = (of: 'served' | 'refused'): number => others.reduce((total, one) => total + one[of], 0);
  expect(sum('served') / (sum('served') + sum('refused'))).toBeGreaterThanOrEqual(0.999);
  expect(samples.get('vigie_shed_total{what="single",why="share"}')).toBeGreaterThan(0);
});
