/** The rounds of the overload suite made one: each row with the median of its figures. */
import { median, significant } from '../statistics.ts';
import type { Row } from '../suite.ts';

/** Five, as shares have that are held against a bar of three. */
const DIGITS = 5;

/**
 * Rows of the same load and condition, in the order of the first round that has them. A condition is met when it was in more
 * than half of all rounds, those without figures included; of an odd number that is when its median meets the bar.
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
    merged[key] = significant(median(rows.map((row) => Number(row[key]))), DIGITS);
  }
  if ('pass' in first) merged.pass = rows.filter(({ pass }) => pass === true).length > rounds / 2;
  if (typeof first.measured === 'number') merged.roundsMeasured = rows.map(({ measured }) => measured);
  return merged as Row;
}
