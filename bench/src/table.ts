/** A plain text table: numbers to the right with thousands separated, everything else to the left. */

export interface Column {
  /** Member of the row. */
  readonly key: string;
  readonly title: string;
}

export function formatTable(
  columns: readonly Column[],
  rows: readonly Readonly<Record<string, unknown>>[],
): string {
  const cells = rows.map((row) => columns.map(({ key }) => formatCell(row[key])));
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...cells.map((line) => (line[index] as string).length)),
  );
  const numeric = columns.map(({ key }) => rows.some((row) => typeof row[key] === 'number'));
  const align = (line: readonly string[]): string =>
    line
      .map((cell, index) => {
        const width = widths[index] as number;
        return numeric[index] ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width));
  return [align(columns.map(({ title }) => title)), align(rule), ...cells.map(align)].join('\n');
}

/** An absent value is a dash: it was not measured, which is not the same as zero. */
function formatCell(value: unknown): string {
  if (value === undefined || value === null) return '-';
  if (typeof value === 'number') return value.toLocaleString('en-US', { maximumFractionDigits: 3 });
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return Array.isArray(value) ? value.join('; ') : String(value);
}
