/** The little arithmetic that the suites share. */

/** The middle value, or the mean of the two middle ones. At least one value. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('median of no values');
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted.length >> 1;
  const high = sorted[upper] as number;
  return sorted.length % 2 === 1 ? high : ((sorted[upper - 1] as number) + high) / 2;
}

/** Rounds to `digits` significant digits: more would pretend to a precision that no run has. */
export function significant(value: number, digits = 4): number {
  return Number(value.toPrecision(digits));
}
