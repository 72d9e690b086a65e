/** Fairness by caller: whoever has ten times the connections, from the same address as all others, leaves them served. */
import { expect, it } from 'vitest';
import { besideHog } from '../support/caller-hog.ts';

// How many of their calls are is what many more of them tell: test/http/full/caller-shares.test.ts.
it('beside a caller with ten times the connections, each of the others is served', {
  timeout: 180_000,
}, async () => {
  const { hog, others, samples } = await besideHog(120);
  expect(hog.served).toBeGreaterThan(0);
  for (const { served, refused } of others) expect(served).toBeGreaterThan(refused);
  // Shed for want of capacity, not for a quota: nobody has one.
  expect(samples.get('vigie_refused_callers_total{why="quota"}')).toBe(0);
  expect(samples.get('vigie_shed_total{what="single",why="share"}')).toBeGreaterThan(0);
});
