/** The replication state machine over seeds; two files, so that both cores are used. */
import { expect, it } from 'vitest';
import { failuresOf } from './run-seeds.ts';

it('keeps I1 to I5 over seeds 1 to 250', { timeout: 120_000 }, async () => {
  expect(await failuresOf(1, 250)).toEqual([]);
});
