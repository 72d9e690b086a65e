/**
 * The gate's statistics, on paired ratios alone: an interval for their median by the bootstrap, the band of two servers
 * that are the same, and the verdict. Everything is drawn from a seed, so that the same samples get the same verdict.
 */
/** Paired ratios, head over base, of the rounds of each block; a block has servers of its own. */
export type Blocks = readonly (readonly number[])[];

export interface Interval {
  readonly low: number;
  readonly middle: number;
  readonly high: number;
}

const RESAMPLES = 1_000;
const SEED = 20_261_126;

/**
 * The interval of 95 % for the median of the ratios. Blocks are drawn first, then rounds within each: rounds of one
 * process are more alike than those of two, and a bootstrap of all rounds together would take that for certainty.
 */
export function medianInterval(blocks: Blocks, seed = SEED): Interval {
  const whole = blocks.filter((block) => block.length > 0);
  if (whole.length === 0) throw new Error('no rounds');
  const random = generator(seed);
  const drawFrom = <Value>(values: readonly Value[]): Value =>
    values[Math.floor(random() * values.length)] as Value;
  const medians = Float64Array.from({ length: RESAMPLES }, () =>
    sortedMedian(
      Float64Array.from(
        whole.flatMap(() => {
          const block = drawFrom(whole);
          return block.map(() => drawFrom(block));
        }),
      ).sort(),
    ),
  ).sort();
  return {
    low: medians[Math.floor(0.025 * RESAMPLES)] as number,
    middle: sortedMedian(Float64Array.from(whole.flat()).sort()),
    high: medians[Math.ceil(0.975 * RESAMPLES) - 1] as number,
  };
}

/** An array of numbers of its own kind: thousands of them are sorted, by the engine's own comparison. */
function sortedMedian(sorted: Float64Array): number {
  const upper = sorted.length >> 1;
  const high = sorted[upper] as number;
  return sorted.length % 2 === 1 ? high : ((sorted[upper - 1] as number) + high) / 2;
}

/** How far two of the same may lie apart here: which of the two is named first is chance, so the band has two like halves. */
export function bandOf(same: Interval): { readonly low: number; readonly high: number } {
  const high = Math.max(same.high, 1 / same.low, 1);
  return { low: 1 / high, high };
}

export type GateVerdict = 'no regression' | 'regression' | 'inconclusive';

/**
 * A regression lies wholly above the band and above the threshold, none wholly below that limit. Anything else is
 * inconclusive; so is all where the band is so wide that the limit is more than twice the threshold away.
 */
export function judge(
  head: Interval,
  same: Interval,
  threshold: number,
): { readonly verdict: GateVerdict; readonly limit: number } {
  const limit = Math.max(1 + threshold, bandOf(same).high);
  if (head.low > limit) return { verdict: 'regression', limit };
  const isBlind = limit > 1 + 2 * threshold;
  return { verdict: head.high <= limit && !isBlind ? 'no regression' : 'inconclusive', limit };
}

/** Mulberry32 (Tommy Ettinger, public domain): 32 bits of state are enough for a few million draws. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
