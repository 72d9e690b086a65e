/** What a Bloom filter of a capacity and a target rate takes by theory: n ln p / ln^2 2 bits (Bloom, 1970). */
export function theoryBytes(filter: {
  readonly capacity: number;
  readonly falsePositiveRate: number;
}): number {
  return (-filter.capacity * Math.log(filter.falsePositiveRate)) / Math.LN2 ** 2 / 8;
}

/**
 * Between which counts a count of events would lie in 95 of 100 runs, if `observed` is what chance made of the
 * true mean: Poisson, by the approximation of Byar (Breslow and Day, 1987), within 1 % of the exact interval.
 */
export function poissonInterval(observed: number): readonly [low: number, high: number] {
  const z = 1.96;
  const bound = (count: number, sign: number) =>
    count === 0 ? 0 : count * (1 - 1 / (9 * count) + (sign * z) / (3 * Math.sqrt(count))) ** 3;
  return [bound(observed, -1), bound(observed + 1, 1)];
}
