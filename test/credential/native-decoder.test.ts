/** A short run of the decoder's fuzzer (npm run fuzz:decoder), so that no change of either decoder goes unseen. */
import { expect, it } from 'vitest';
import { createRandom } from '../signature/fuzz-cases.ts';
import { nativeAddon } from '../support/path-world.ts';
import { createDecoderComparison } from './decoder-comparison.ts';

it.each([11, 12])('native code reads what the reference reads, or leaves it (seed %i)', (seed) => {
  const comparison = createDecoderComparison(nativeAddon(), createRandom(seed));
  while (comparison.cases < 10_000) expect(comparison.next()).toEqual([]);
  // Neither everything nor nothing: else the comparison would say little.
  expect(comparison.decoded / comparison.cases).toBeGreaterThan(0.1);
  expect(comparison.decoded / comparison.cases).toBeLessThan(0.9);
});
