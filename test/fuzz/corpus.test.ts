/** Every committed input of every target once more: what was found stays mended, and the corpus stays readable. */
import { describe, expect, it } from 'vitest';
import { readCorpus } from './corpus-files.ts';
import { GUIDED } from './target-names.ts';
import { TARGETS } from './targets.ts';

describe.each(GUIDED)('the fuzz target %s', (name) => {
  it('finds nothing in its seeds and in its corpus, and accepts some of each kind', async () => {
    const target = await TARGETS[name]();
    try {
      const seeds = target.seeds.map((seed, i) => ({ name: `seed ${i}`, input: Buffer.from(seed) }));
      for (const entry of [...seeds, ...readCorpus(name)]) {
        expect(await target.run(entry.input), entry.name).toBeUndefined();
      }
      expect(target.accepted()).toBeGreaterThan(0);
    } finally {
      await target.close?.();
    }
  });
});
