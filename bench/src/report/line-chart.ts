/** One figure against another: a line for each series, its points marked and, where they have one, labelled. */
import { label, linearScale, logScale, type Scale } from './scale.ts';
import { COLOURS, drawing, element, FAINT, MUTED, text } from './svg.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
  readonly label?: string;
}

export interface Series {
  readonly label: string;
  readonly points: readonly Point[];
  /** What could be had at best: dashed, without marks. */
  readonly isIdeal?: boolean;
}

export interface LineChart {
  readonly title: string;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly yScale: 'linear' | 'log';
  readonly series: readonly Series[];
}

const WIDTH = 760;
const HEIGHT = 400;
const PLOT = { left: 76, right: 724, top: 76, bottom: 340 };

/** The drawing; `undefined` where no series has a point. */
export function lineChart({ title, xTitle, yTitle, yScale, series }: LineChart): string | undefined {
  const shown = series
    .map((one) => ({ ...one, points: one.points.filter(({ y }) => yScale === 'linear' || y > 0) }))
    .filter(({ points }) => points.length > 0);
  if (!shown.some(({ isIdeal }) => !isIdeal)) return undefined;
  const points = shown.flatMap((one) => one.points);
  const xs = linearScale(Math.max(...points.map(({ x }) => x)), PLOT.left, PLOT.right);
  const heights = points.map(({ y }) => y);
  const ys =
    yScale === 'log'
      ? logScale(heights, PLOT.bottom, PLOT.top)
      : linearScale(Math.max(...heights), PLOT.bottom, PLOT.top);
  return drawing(WIDTH, HEIGHT, title, [
    text(16, 26, title, { 'font-size': 15, 'font-weight': 'bold' }),
    ...axes(xs, ys, xTitle, yTitle),
    ...shown.flatMap((one, index) => legendEntry(one, index)),
    ...shown.flatMap((one, index) => lineOf(one, styleOf(one, index), xs, ys)),
  ]);
}

function axes(xs: Scale, ys: Scale, xTitle: string, yTitle: string): string[] {
  const { left, right, top, bottom } = PLOT;
  const small = { fill: MUTED, 'font-size': 11 };
  const middle = { 'text-anchor': 'middle', fill: MUTED };
  const [centreX, centreY] = [(left + right) / 2, (top + bottom) / 2];
  return [
    ...xs.ticks.flatMap((tick) => [
      element('line', { x1: xs.at(tick), x2: xs.at(tick), y1: top, y2: bottom, stroke: FAINT }),
      text(xs.at(tick), bottom + 18, label(tick), { ...small, 'text-anchor': 'middle' }),
    ]),
    ...ys.ticks.flatMap((tick) => [
      element('line', { x1: left, x2: right, y1: ys.at(tick), y2: ys.at(tick), stroke: FAINT }),
      text(left - 8, ys.at(tick) + 4, label(tick), { ...small, 'text-anchor': 'end' }),
    ]),
    text(centreX, bottom + 42, xTitle, middle),
    text(18, centreY, yTitle, { ...middle, transform: `rotate(-90 18 ${centreY})` }),
  ];
}

function styleOf({ isIdeal }: Series, index: number): { stroke: string; 'stroke-dasharray'?: string } {
  return isIdeal
    ? { stroke: MUTED, 'stroke-dasharray': '5 4' }
    : { stroke: COLOURS[index % COLOURS.length] as string };
}

function legendEntry(one: Series, index: number): string[] {
  const x = PLOT.left + index * 200;
  return [
    element('line', { x1: x, x2: x + 22, y1: 50, y2: 50, 'stroke-width': 2, ...styleOf(one, index) }),
    text(x + 28, 54, one.label),
  ];
}

/** The points are joined in the order given, which is that of the load: a line may well turn back. */
function lineOf(
  { points, isIdeal }: Series,
  style: ReturnType<typeof styleOf>,
  xs: Scale,
  ys: Scale,
): string[] {
  const places = points.map((point) => ({ ...point, px: xs.at(point.x), py: ys.at(point.y) }));
  const path = places.map(({ px, py }) => `${px.toFixed(2)},${py.toFixed(2)}`).join(' ');
  const line = element('polyline', { points: path, fill: 'none', 'stroke-width': 2, ...style });
  if (isIdeal) return [line];
  return [
    line,
    ...places.flatMap(({ px, py, label: name }) => [
      element('circle', { cx: px, cy: py, r: 4, fill: style.stroke }),
      ...(name === undefined ? [] : [text(px + 6, py - 7, name, { 'font-size': 10, fill: MUTED })]),
    ]),
  ];
}
