/** Figures side by side, a line each: bars from zero, or dots where they differ by orders of magnitude. */
import { label, linearScale, logScale } from './scale.ts';
import { COLOURS, drawing, element, FAINT, INK, MUTED, text } from './svg.ts';

export interface RowChart {
  readonly title: string;
  /** What the axis counts. */
  readonly unit: string;
  /** The length of a bar says nothing on a logarithmic axis, so there are dots on one. */
  readonly scale: 'linear' | 'log';
  readonly groups: readonly {
    readonly label: string;
    readonly rows: readonly { readonly label: string; readonly value: number }[];
  }[];
}

const WIDTH = 800;
const LEFT = 270;
/** Room for the figure behind a bar that reaches the end. */
const RIGHT = 90;
const TOP = 44;
const ROW = 20;
const GROUP_GAP = 26;
const BOTTOM = 44;

/** The drawing; `undefined` where there is nothing to draw. */
export function rowChart({ title, unit, scale: kind, groups }: RowChart): string | undefined {
  const shown = groups
    .map((group) => ({
      ...group,
      rows: group.rows.filter(({ value }) => (kind === 'log' ? value > 0 : value >= 0)),
    }))
    .filter(({ rows }) => rows.length > 0);
  const values = shown.flatMap(({ rows }) => rows.map(({ value }) => value));
  if (values.length === 0) return undefined;
  const scale =
    kind === 'log'
      ? logScale(values, LEFT, WIDTH - RIGHT)
      : linearScale(Math.max(...values), LEFT, WIDTH - RIGHT);
  // One who is in several groups has the same colour in each.
  const names = [...new Set(shown.flatMap(({ rows }) => rows.map((row) => row.label)))];
  const marks: string[] = [];
  let y = TOP;
  for (const group of shown) {
    y += GROUP_GAP;
    marks.push(text(16, y - 8, group.label, { 'font-weight': 'bold' }));
    for (const row of group.rows) {
      const colour = COLOURS[names.indexOf(row.label) % COLOURS.length] as string;
      marks.push(...markOf(row, { y: y + ROW / 2, end: scale.at(row.value), kind, colour }));
      y += ROW;
    }
  }
  const axis = scale.ticks.flatMap((tick) => [
    element('line', { x1: scale.at(tick), x2: scale.at(tick), y1: TOP, y2: y + 6, stroke: FAINT }),
    text(scale.at(tick), y + 20, label(tick), { 'text-anchor': 'middle', fill: MUTED, 'font-size': 11 }),
  ]);
  const heading = text(16, 26, title, { 'font-size': 15, 'font-weight': 'bold' });
  const unitLine = text((LEFT + WIDTH - RIGHT) / 2, y + 36, unit, { 'text-anchor': 'middle', fill: MUTED });
  return drawing(WIDTH, y + BOTTOM, title, [heading, ...axis, ...marks, unitLine]);
}

interface Mark {
  readonly y: number;
  readonly end: number;
  readonly kind: RowChart['scale'];
  readonly colour: string;
}

function markOf(row: { readonly label: string; readonly value: number }, mark: Mark): string[] {
  const { y, end, colour } = mark;
  return [
    text(LEFT - 10, y + 4, row.label, { 'text-anchor': 'end' }),
    mark.kind === 'linear'
      ? element('rect', {
          x: LEFT,
          y: y - 7,
          width: Math.max(1, end - LEFT),
          height: 14,
          fill: colour,
        })
      : element('circle', { cx: end, cy: y, r: 5, fill: colour }),
    text(end + 9, y + 4, label(row.value), { 'font-size': 11, fill: INK }),
  ];
}
