/** The second half of the seeds; see `seeds-1-to-250.test.ts`. */
import { expect, it } from 'vitest';
import { failuresOf } from './run-seeds.ts';

it('keeps I1 to I5 over seeds 251 to 500', { timeout: 120_000 }, async () => {
  expect(await failuresOf(251, 250)).toEqual([]);
});
