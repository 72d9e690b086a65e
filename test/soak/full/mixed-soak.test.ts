import { expect, it } from 'vitest';
import { mixedSoak } from '../mixed/mixed-soak.ts';
import { page } from '../mixed/page.ts';

it('a minute of honest and hostile load leaves nothing wrong and nothing behind', {
  timeout: 300_000,
}, async ({ annotate }) => {
  const soak = await mixedSoak(60);
  await annotate(page(soak));
  expect(soak.faults).toEqual([]);
});
