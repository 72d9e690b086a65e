/** From values to places on a plot, and where its ticks stand. */

export interface Scale {
  at(value: number): number;
  readonly ticks: readonly number[];
}

/** From zero to the first round step at or above the largest value. */
export function linearScale(largest: number, from: number, to: number): Scale {
  const step = roundStep(Math.max(largest, Number.MIN_VALUE) / 5);
  const steps = Math.max(1, Math.ceil(largest / step));
  const end = steps * step;
  return {
    at: (value) => from + ((to - from) * value) / end,
    ticks: Array.from({ length: steps + 1 }, (_, index) => Number((index * step).toPrecision(12))),
  };
}

/** Powers of ten that hold all the values, which must be above zero; at least one decade. */
export function logScale(values: readonly number[], from: number, to: number): Scale {
  const low = Math.floor(Math.log10(Math.min(...values)) + 1e-9);
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values)) - 1e-9));
  return {
    at: (value) => from + ((to - from) * (Math.log10(value) - low)) / (high - low),
    ticks: Array.from({ length: high - low + 1 }, (_, index) => Number(`1e${low + index}`)),
  };
}

/** The smallest of 1, 2, 2.5 and 5 times a power of ten that is not below. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 2.5, 5].find((candidate) => candidate * power >= least * (1 - 1e-9)) ?? 10;
  return factor * power;
}

/** As people read it: thousands separated, and no digit that a run does not warrant. */
export function label(value: number): string {
  return Number(value.toPrecision(4)).toLocaleString('en-US', { maximumFractionDigits: 3 });
}
