/** The rounds of the overload suite made one: each row with the median of its figures. */
import { median, significant } from '../statistics.ts';
import type { Row } from '../suite.ts';
import { GENERATOR_IN_TIME } from './overload-conditions.ts';

/** Five, as shares have that are held against a bar of three. */
const DIGITS = 5;

/**
 * Rows of the same load and condition, in the order of the first round that has them. A condition is met when it was in more
 * than half of all rounds: of an odd number of them, each with its figure, that is when the median meets the bar. A round
 * whose generator was late has a row that says so in place of those of its load; `roundsMeasured` has the others' figures.
 */
export function medianRows(rounds: readonly (readonly Row[])[]): Row[] {
  const alike = new Map<string, Row[]>();
  for (const row of rounds.flat()) {
    const name = JSON.stringify([row.case, row.load, row.condition, row.note]);
    alike.set(name, [...(alike.get(name) ?? []), row]);
  }
  return [...alike.values()].map((rows) => medianRow(rows, rounds.length));
}

function medianRow(rows: readonly Row[], rounds: number): Row {
  const [first] = rows as [Row];
  const merged: Record<string, unknown> = { ...first };
  for (const [key, value] of Object.entries(first)) {
    if (typeof value !== 'number' || key === 'load') continue;
    const figures = rows.map((row) => row[key]).filter((figure) => typeof figure === 'number');
    merged[key] = significant(median(figures), DIGITS);
  }
  if ('pass' in first) merged.pass = isMet(rows, rounds);
  if (typeof first.measured === 'number') merged.roundsMeasured = rows.map(({ measured }) => measured);
  return merged as Row;
}

/** A row of a late generator stands where it was late alone: the rounds without it were in time. */
function isMet(rows: readonly Row[], rounds: number): boolean {
  const met = rows.filter(({ pass }) => pass === true).length;
  const inTime = rows[0]?.condition === GENERATOR_IN_TIME ? rounds - rows.length : 0;
  return met + inTime > rounds / 2;
}
