/** A row of the revocation suite: a bar, what was measured, and whether it holds. */
import { significant } from '../../statistics.ts';
import type { Row } from '../../suite.ts';

export interface Measured {
  readonly part: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** The highest value that passes; none: told for its own sake. */
  readonly bar?: number;
  /** How it came about, in a word or two. */
  readonly detail?: string;
  /** Further figures, for `--json`. */
  readonly more?: Readonly<Record<string, unknown>>;
}

export interface PartResult {
  readonly rows: readonly Row[];
  readonly facts: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
  /** Answers that were wrong, in words; any of them voids the figures. */
  readonly wrong: readonly string[];
}

export function rowOf({ part, what, value, unit, bar, detail, more }: Measured): Row {
  return {
    suite: 'revocation',
    part,
    what,
    value: significant(value),
    unit,
    ...(bar === undefined ? {} : { bar, passed: value <= bar }),
    ...(detail === undefined ? {} : { detail }),
    ...more,
  };
}

/** The value that so large a share of the values does not exceed; at least one value. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number;
}
