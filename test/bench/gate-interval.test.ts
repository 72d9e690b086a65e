import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Blocks, bandOf, type Interval, judge, medianInterval } from '../../bench/src/gate/interval.ts';

const ratio = fc.double({ min: 0.5, max: 2, noNaN: true });
const blocks = fc.array(fc.array(ratio, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 5 });
const FEW = { numRuns: 25 };

function interval(low: number, high: number): Interval {
  return { low, middle: (low + high) / 2, high };
}

/** Ratios around `centre` whose logarithms are spread evenly, each block with a shift of its own. */
function spread(centre: number, seed: number, shift = 0.01, noise = 0.05): Blocks {
  const random = sequence(seed);
  return Array.from({ length: 6 }, () => {
    const own = (random() - 0.5) * 2 * shift;
    return Array.from({ length: 25 }, () => centre * Math.exp(own + (random() - 0.5) * 2 * noise));
  });
}

/** Another generator than the one under test (Park and Miller 1988). */
function sequence(seed: number): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

describe('the interval of the median', () => {
  it('holds the median, within what was measured', () => {
    fc.assert(
      fc.property(blocks, (ratios) => {
        const { low, middle, high } = medianInterval(ratios);
        const all = ratios.flat();
        expect(low).toBeGreaterThanOrEqual(Math.min(...all));
        expect(low).toBeLessThanOrEqual(high);
        expect(high).toBeLessThanOrEqual(Math.max(...all));
        expect(middle).toBeGreaterThanOrEqual(Math.min(...all));
        expect(middle).toBeLessThanOrEqual(Math.max(...all));
      }),
      FEW,
    );
  });

  it('is the same for the same samples and seed, and grows and shrinks with them', () => {
    fc.assert(
      fc.property(blocks, fc.integer(), fc.constantFrom(0.5, 2, 4), (ratios, seed, factor) => {
        const first = medianInterval(ratios, seed);
        expect(medianInterval(ratios, seed)).toEqual(first);
        const scaled = medianInterval(
          ratios.map((block) => block.map((value) => factor * value)),
          seed,
        );
        // Powers of two change no digit.
        expect(scaled).toEqual({
          low: factor * first.low,
          middle: factor * first.middle,
          high: factor * first.high,
        });
      }),
      FEW,
    );
  });

  it('is a point where all ratios are equal, and there is none without rounds', () => {
    expect(medianInterval([[1.1, 1.1], [1.1]])).toEqual({ low: 1.1, middle: 1.1, high: 1.1 });
    expect(() => medianInterval([[], []])).toThrow('no rounds');
  });

  it('holds the true median in most of many runs', () => {
    const held = Array.from({ length: 40 }, (_, run) => medianInterval(spread(1.03, run * 7_919 + 1)));
    // 95 % is what it is for; six blocks and skewed luck take some of that.
    expect(held.filter(({ low, high }) => low <= 1.03 && 1.03 <= high).length).toBeGreaterThan(33);
  });

  it('does not take many rounds of two differing processes for certainty', () => {
    const block = (value: number) => Array.from({ length: 500 }, () => value);
    const { low, high } = medianInterval([block(0.95), block(1.05)]);
    expect([low, high]).toEqual([0.95, 1.05]);
  });
});

describe('the band of two that are the same', () => {
  it('has like halves, holds 1 and the interval', () => {
    fc.assert(
      fc.property(ratio, ratio, (one, other) => {
        const same = interval(Math.min(one, other), Math.max(one, other));
        const { low, high } = bandOf(same);
        expect(low * high).toBeCloseTo(1, 12);
        expect(low).toBeLessThanOrEqual(Math.min(1, same.low) * (1 + 1e-12));
        expect(high).toBeGreaterThanOrEqual(Math.max(1, same.high));
      }),
    );
  });
});

describe('the verdict', () => {
  const quiet = interval(0.99, 1.01);

  it.each([
    [interval(1.1, 1.2), quiet, 'regression', 1.05],
    [interval(0.98, 1.03), quiet, 'no regression', 1.05],
    [interval(0.7, 0.8), quiet, 'no regression', 1.05],
    // Wholly above the band, but by less than is let pass.
    [interval(1.02, 1.04), quiet, 'no regression', 1.05],
    [interval(1.03, 1.12), quiet, 'inconclusive', 1.05],
    // Above the threshold, yet no further than two of the same are apart.
    [interval(1.06, 1.075), interval(0.95, 1.08), 'no regression', 1.08],
    [interval(1.09, 1.12), interval(0.95, 1.08), 'regression', 1.08],
    // A band that hides what the gate is there for.
    [interval(0.95, 1.1), interval(0.8, 1.2), 'inconclusive', 1.25],
    [interval(1.3, 1.4), interval(0.8, 1.2), 'regression', 1.25],
  ])('of %o beside %o is %s', (head, same, verdict, limit) => {
    expect(judge(head, same, 0.05)).toEqual({ verdict, limit });
  });

  it('never blames one that is not above both the band and the threshold', () => {
    fc.assert(
      fc.property(ratio, ratio, ratio, ratio, (a, b, c, d) => {
        const [head, same] = [
          interval(Math.min(a, b), Math.max(a, b)),
          interval(Math.min(c, d), Math.max(c, d)),
        ];
        const { verdict, limit } = judge(head, same, 0.05);
        expect(verdict === 'regression').toBe(head.low > limit);
        expect(limit).toBeGreaterThanOrEqual(1.05);
        if (verdict === 'no regression') expect(head.high).toBeLessThanOrEqual(limit);
      }),
    );
  });

  it('catches 15 % and passes nothing at all, with processes that differ by a few percent', () => {
    const verdicts = Array.from({ length: 15 }, (_, run) => {
      const same = medianInterval(spread(1, run * 101 + 7));
      return [1.15, 1].map(
        (slower) => judge(medianInterval(spread(slower, run * 103 + 11)), same, 0.05).verdict,
      );
    });
    expect(verdicts.filter(([slowed]) => slowed === 'regression')).toHaveLength(15);
    expect(verdicts.filter(([, same]) => same === 'regression')).toEqual([]);
  });
});
