/** Part `filter`: what a lookup costs at capacity, how often it errs, and how much memory it takes. */
import { sourceFile } from '../../paths.ts';
import { runChild } from '../../process/measuring-child.ts';
import { median, significant } from '../../statistics.ts';
import type { FilterResult, FilterTask } from './filter-child.ts';
import { poissonInterval, theoryBytes } from './filter-theory.ts';
import { type Measured, type PartResult, rowOf } from './rows.ts';

export interface FilterOptions {
  readonly filter: { readonly capacity: number; readonly falsePositiveRate: number };
  readonly rounds: number;
  readonly core: number;
}

/** By path as the child names them. */
const BARS_NS: Readonly<Record<string, number>> = {
  'once hashed, from JavaScript': 150,
  'keyed hash included, in batches of 256 through the addon': 400,
};
/** Enough for a hundred false positives at the target, within what takes half a minute. */
const EXPECTED_FALSE_POSITIVES = 100;
const MAX_PROBES = 150_000_000;
const MIN_PROBES = 2_000_000;
const MIN_ROUNDS = 7;
const LIMIT_SECONDS = 600;
const FALSE_POSITIVE_BAR = 1.5;

export async function measureFilter({ filter, rounds, core }: FilterOptions): Promise<PartResult> {
  const wanted = EXPECTED_FALSE_POSITIVES / filter.falsePositiveRate;
  const task: FilterTask = {
    ...filter,
    probes: Math.min(MAX_PROBES, Math.max(MIN_PROBES, wanted)),
    rounds: Math.max(MIN_ROUNDS, rounds),
  };
  const file = sourceFile('suites', 'revocation', 'filter-child.ts');
  const result = (await runChild({ file, task, core, limitSeconds: LIMIT_SECONDS })) as FilterResult;
  const measured: Measured[] = [
    ...result.lookups.map(({ path, rounds: ns }) => ({
      what: `lookup, ${path}`,
      value: median(ns),
      unit: 'ns',
      ...(BARS_NS[path] === undefined ? {} : { bar: BARS_NS[path] }),
      detail: `best ${Math.round(Math.min(...ns))}`,
      more: { rounds: ns.map((value) => significant(value)) },
    })),
    falsePositives(result, filter.falsePositiveRate),
    memory('by its own account', result.memoryBytes, filter),
    memory('by the growth of resident memory', result.residentBytes, filter),
  ].map((row) => ({ part: 'filter', ...row }));
  const wrong = result.lost > 0 ? [`the filter lost ${result.lost} of its hashes`] : [];
  return { rows: measured.map(rowOf), facts: { filterFill: result.fill }, warnings: [], wrong };
}

function falsePositives({ falsePositives: count, probes }: FilterResult, rate: number) {
  const [low, high] = poissonInterval(count).map((bound) => significant(bound / probes / rate, 3));
  return {
    what: 'false positives at capacity, as a multiple of the target',
    value: count / probes / rate,
    unit: 'x',
    bar: FALSE_POSITIVE_BAR,
    detail: `${count} of ${probes.toLocaleString('en-US')}; 95 %: ${low} to ${high}`,
    more: { falsePositives: count, probes, target: rate, interval: [low, high] },
  };
}

function memory(how: string, bytes: number, filter: FilterOptions['filter']) {
  const theory = theoryBytes(filter);
  return {
    what: `memory against theory, ${how}`,
    value: Math.abs(bytes / theory - 1) * 100,
    unit: '% off',
    bar: 5,
    detail: `${bytes} of ${Math.round(theory)} bytes`,
    more: { bytes, theoryBytes: Math.round(theory) },
  };
}
