/** Which figures of which suite are drawn, and how. */
import { lineChart, type Point, type Series } from './line-chart.ts';
import { type RowChart, rowChart } from './row-chart.ts';
import { numberOf, type StoredReport, type StoredRow, textOf } from './stored-results.ts';

export interface Plot {
  /** The file's name; it begins with the suite's. */
  readonly file: string;
  readonly title: string;
  readonly svg: string;
}

const DRAWN: Readonly<Record<string, (report: StoredReport) => readonly Drawn[]>> = {
  kernel: engines,
  http: requests,
  peers,
  nation,
  overload,
};

/** One by one, where all engines have figures, and where the native engine gains little from more. */
const DRAWN_BATCHES = [1, 64, 256];

interface Drawn {
  readonly name: string;
  readonly title: string;
  /** Absent where the report has none of the figures. */
  readonly svg: string | undefined;
}

/** What can be drawn of the report; a suite without plots has none. */
export function plotsOf(report: StoredReport): readonly Plot[] {
  return (DRAWN[report.suite]?.(report) ?? []).flatMap(({ name, title, svg }) =>
    svg === undefined ? [] : [{ file: `${report.suite}-${name}.svg`, title, svg }],
  );
}

function rows(name: string, title: string, unit: string, chart: Pick<RowChart, 'scale' | 'groups'>): Drawn {
  return { name, title, svg: rowChart({ title, unit, ...chart }) };
}

/** One row of a chart for each of the report's that has the figure. */
function entries(from: readonly StoredRow[], key: string, labelOf: (row: StoredRow) => string) {
  return from.flatMap((row) => {
    const value = numberOf(row, key);
    return value === undefined ? [] : [{ label: labelOf(row), value }];
  });
}

function groupedBy(from: readonly StoredRow[], labelOf: (row: StoredRow) => string) {
  const groups = new Map<string, StoredRow[]>();
  for (const row of from) groups.set(labelOf(row), [...(groups.get(labelOf(row)) ?? []), row]);
  return [...groups];
}

/** One known key and unknown ones, on one core, with the window that the engine chose: its row is the first. */
function engines({ rows: all }: StoredReport): readonly Drawn[] {
  const isShown = (row: StoredRow): boolean =>
    row.workers === 1 &&
    (row.path === 'unknown' || row.keys === 1) &&
    DRAWN_BATCHES.includes(numberOf(row, 'batch') ?? 0);
  const shapes = groupedBy(all.filter(isShown), (row) => {
    const keys = row.path === 'unknown' ? 'unknown keys' : 'known key';
    return row.batch === 1 ? `${keys}, one by one` : `${keys}, batches of ${textOf(row, 'batch')}`;
  });
  const chosen = (group: readonly StoredRow[]): StoredRow[] => {
    const names = [...new Set(group.map((row) => textOf(row, 'implementation')))];
    return names.map((name) => group.find((row) => row.implementation === name) as StoredRow);
  };
  const groups = shapes.map(([label, group]) => ({
    label,
    rows: entries(chosen(group), 'perSecond', (row) => textOf(row, 'implementation')),
  }));
  return [rows('engines', 'Signature engines on one core', 'signatures a second', { scale: 'log', groups })];
}

function requests({ rows: all }: StoredReport): readonly Drawn[] {
  const groups = groupedBy(all, (row) =>
    row.request === 'batch'
      ? 'batches of 1,000 credentials'
      : `single calls, ${textOf(row, 'connections')} connections`,
  ).map(([label, group]) => ({
    label,
    rows: entries(group, 'credentialsPerSecond', (row) =>
      row.request === 'batch' ? `${textOf(row, 'target')}, ${textOf(row, 'answer')}` : textOf(row, 'target'),
    ),
  }));
  const title = 'Over HTTP, one server core';
  return [rows('throughput', title, 'credentials (or empty calls) a second', { scale: 'log', groups })];
}

/** Gateways and engines apart: an engine alone has no HTTP to do. Cached figures are apart from the others. */
function peers({ rows: all }: StoredReport): readonly Drawn[] {
  const kinds = [
    ['gateway', 'gateways', 'Gateways side by side'],
    ['engine', 'engines', 'Engines side by side'],
  ] as const;
  const groupLabel = (row: StoredRow): string => {
    if (row.kind === 'gateway') return row.isCached === true ? 'results cached' : 'every credential verified';
    return Number(row.batch ?? 1) === 1 ? 'one by one' : `batches of ${textOf(row, 'batch')}`;
  };
  return kinds.flatMap(([kind, name, title]) => {
    const grouped = groupedBy(
      all.filter((row) => row.kind === kind),
      groupLabel,
    );
    const chart = (key: string) =>
      grouped.map(([label, group]) => ({ label, rows: entries(group, key, (row) => textOf(row, 'peer')) }));
    return [
      rows(name, title, 'credentials a second', { scale: 'log', groups: chart('credentialsPerSecond') }),
      rows(`${name}-latency`, `${title}: latency, each at its own saturation`, 'p99, ms, closed loop', {
        scale: 'log',
        groups: chart('p99Ms'),
      }),
    ];
  });
}

/** The rows that have rates or latencies; hours and shares stand in the table alone. */
function nation({ rows: all }: StoredReport): readonly Drawn[] {
  const chart = (keys: Readonly<Record<string, string>>): Pick<RowChart, 'scale' | 'groups'> => ({
    scale: 'log',
    groups: all.map((row) => ({
      label: [textOf(row, 'part'), textOf(row, 'what')].filter((word) => word !== '').join(': '),
      rows: Object.entries(keys).flatMap(([key, name]) => entries([row], key, () => name)),
    })),
  });
  const title = "The nation's workload";
  const rates = chart({ askedPerSecond: 'asked', achievedPerSecond: 'done' });
  const latencies = chart({ p50Ms: 'p50', p99Ms: 'p99', p999Ms: 'p99.9' });
  return [
    rows('rates', `${title}: asked and done`, 'credentials a second', rates),
    rows('latency', `${title}: latency`, 'ms from the intended send time', latencies),
  ];
}

/** Rows of the steps, one for each load: that of the recovery at the end has no figures of its own. */
function stepsOf(report: StoredReport, kind: string): readonly StoredRow[] {
  return report.rows.filter(
    (row) =>
      row.case === kind &&
      numberOf(row, 'okPerSecond') !== undefined &&
      numberOf(row, 'load') !== undefined &&
      (row.condition === undefined || row.condition === 'goodput'),
  );
}

function overload(report: StoredReport): readonly Drawn[] {
  const kinds = [
    ['single', 'single calls'],
    ['batch', 'batches of 1,000'],
  ] as const;
  const latencies = kinds.map(([kind, label]): Drawn => {
    const title = `Throughput against latency, open loop: ${label}`;
    const points = stepsOf(report, kind).flatMap((row): Point[] => {
      const [x, y, load] = ['okPerSecond', 'p99Ms', 'load'].map((key) => numberOf(row, key));
      return x === undefined || y === undefined ? [] : [{ x, y, label: `${load}×` }];
    });
    const svg = lineChart({
      title,
      xTitle: 'served a second (labels: load as a multiple of the capacity)',
      yTitle: 'p99 of what was served, ms',
      yScale: 'log',
      series: [{ label, points }],
    });
    return { name: `latency-${kind}`, title, svg };
  });
  return [...latencies, goodput(report, kinds)];
}

/** Both kinds as shares of their own capacities, so that one plot holds them. */
function goodput(report: StoredReport, kinds: readonly (readonly [string, string])[]): Drawn {
  const title = 'Goodput under overload';
  const series = kinds.map(([kind, label]): Series => {
    const points = stepsOf(report, kind).flatMap((row): Point[] => {
      const [x, share] = [numberOf(row, 'load'), numberOf(row, 'ofCapacity')];
      return x === undefined || share === undefined ? [] : [{ x, y: 100 * share }];
    });
    return { label, points };
  });
  const loads = series.flatMap(({ points }) => points.map(({ x }) => x));
  const most = Math.max(1, ...loads);
  const ideal: Series = {
    label: 'the load, up to the capacity',
    isIdeal: true,
    points: [
      { x: 0, y: 0 },
      { x: 1, y: 100 },
      { x: most, y: 100 },
    ],
  };
  const svg = lineChart({
    title,
    xTitle: 'load as a multiple of the capacity',
    yTitle: 'served in time, % of the capacity',
    yScale: 'linear',
    series: [...series, ideal],
  });
  return { name: 'goodput', title, svg };
}
