/** How fast threads are replaced, and when it is given up. */
import { describe, expect, it } from 'vitest';
import { createRestartPace } from '../../src/workers/restart-pace.ts';

describe('restart pace', () => {
  it('replaces each thread once at once, then ever more slowly, to a bound', () => {
    const pace = createRestartPace(4, () => 0.5);
    const delays = Array.from({ length: 12 }, () => pace.next(0));
    expect(delays).toEqual([0, 0, 0, 0, 75, 150, 300, 600, 1_200, 2_400, 3_750, 3_750]);
    expect(pace.next(0)).toBeUndefined();
  });

  it('spreads the delays around their value', () => {
    const delayWith = (random: number): number | undefined => {
      const pace = createRestartPace(1, () => random);
      pace.next(0);
      return pace.next(0);
    };
    expect([delayWith(0), delayWith(1)]).toEqual([50, 100]);
  });

  it('forgets what is longer ago than a minute', () => {
    const pace = createRestartPace(1, () => 0);
    for (let second = 0; second < 600; second += 7) expect(pace.next(second * 1000)).toBeDefined();
    const quiet = createRestartPace(1, () => 0);
    for (let end = 0; end < 10; end++) quiet.next(0);
    expect(quiet.next(59_999)).toBeUndefined();
    expect(quiet.next(120_000)).toBe(0);
  });

  it('lets all of many threads fall to one cause and come back', () => {
    const pace = createRestartPace(64, () => 0);
    for (let end = 0; end < 64; end++) expect(pace.next(0)).toBe(0);
  });
});
