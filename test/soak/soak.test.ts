import { it } from 'vitest';
import { soak } from './soak.ts';

it('50,000 requests, many left in the middle, leave nothing behind', { timeout: 120_000 }, async () => {
  await soak(50_000, 25_000);
});
