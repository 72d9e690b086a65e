/** A short run of the proofs' fuzzer (npm run fuzz:decoder), so that no change of either decoder goes unseen. */
import { expect, it } from 'vitest';
import { createRandom } from '../signature/fuzz-cases.ts';
import { nativeAddon } from '../support/path-world.ts';
import { createProofComparison } from './proof-comparison.ts';

it.each([21, 22])(
  'native code reads the proofs that the reference reads, or leaves them (seed %i)',
  (seed) => {
    const comparison = createProofComparison(nativeAddon(), createRandom(seed));
    while (comparison.cases < 10_000) expect(comparison.next()).toEqual([]);
    // Neither everything nor nothing: else the comparison would say little.
    expect(comparison.decoded / comparison.cases).toBeGreaterThan(0.1);
    expect(comparison.decoded / comparison.cases).toBeLessThan(0.9);
  },
);
