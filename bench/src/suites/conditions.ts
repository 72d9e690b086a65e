/** Rows that state a bar, what was measured and whether it holds; a suite of such rows fails with one that does not. */
import { significant } from '../statistics.ts';
import type { Row, SuiteResult } from '../suite.ts';

export interface Condition extends Row {
  readonly case: string;
  readonly condition: string;
  readonly bar: string;
  readonly measured: number;
  readonly pass: boolean;
}

export function condition(row: Condition): Condition {
  return { ...row, measured: significant(row.measured, 3) };
}

interface Conditions extends Pick<SuiteResult, 'rows' | 'columns' | 'facts' | 'warnings'> {
  /** Answers that should not have been given: the figures count for nothing. */
  readonly wrongs: readonly string[];
}

export function conditionResult({ rows, columns, facts, warnings, wrongs }: Conditions): SuiteResult {
  const missed = rows.filter(({ pass }) => pass === false).length;
  const notMet = missed > 0 ? [`${missed} conditions are not met`] : [];
  return {
    rows,
    columns,
    facts,
    warnings: [...warnings, ...wrongs, ...notMet],
    failed: missed > 0 || wrongs.length > 0,
  };
}
