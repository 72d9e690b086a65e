/**
 * The README's figures, from the stored results alone: `npm run docs` writes them, and test/docs.test.ts fails when they
 * are others. A run with wrong answers has none.
 */
import { conditionsOf, inCell, markdownTable } from './markdown.ts';
import { label } from './scale.ts';
import { missingFrom, numberOf, type StoredReport, type StoredRow, textOf } from './stored-results.ts';

type Render = (report: StoredReport) => string;

/** In the order of the README. A suite that is not here has its figures in the report alone. */
const TABLES: Readonly<Record<string, Render>> = {
  http: httpTable,
  peers: peersTable,
  nation: nationTable,
  revocation: revocationTable,
  kernel: kernelTable,
};

/** Where a failed run is one whose answers were wrong or missing, and not one that missed a bar. */
const FAILS_BY_WRONG_ANSWERS = ['http', 'peers', 'revocation'];

export function speedTables(reports: ReadonlyMap<string, StoredReport>): string {
  const blocks = Object.entries(TABLES).flatMap(([suite, render]) => {
    const report = reports.get(suite);
    if (report === undefined) return [];
    if (report.failed && FAILS_BY_WRONG_ANSWERS.includes(suite))
      return [
        `The latest run of ${suite} met answers that were wrong, refused or missing, or could not measure the gateway itself, so its figures count for nothing.`,
      ];
    const failed = report.failed ? ' **This run missed a bar: see the report.**' : '';
    return [`${render(report)}\n\n${conditionsOf(report)}.${failed}${warningsOf(report)}`];
  });
  const missing = missingFrom(reports).filter((suite) => suite in TABLES);
  const absent = missing.length === 0 ? [] : [`Not among the latest stored results: ${missing.join(', ')}.`];
  return [...blocks, ...absent].join('\n\n');
}

const SHOWN_WARNINGS = 3;
const WARNING_CHARS = 200;

/** What the run says against its own figures stands beside them; the report has all of it. */
function warningsOf({ warnings }: StoredReport): string {
  if (warnings.length === 0) return '';
  const shown = warnings
    .slice(0, SHOWN_WARNINGS)
    .map((text) => inCell(text.length > WARNING_CHARS ? `${text.slice(0, WARNING_CHARS)}…` : text));
  const more = warnings.length - shown.length;
  return ` **The run warns:** ${shown.join('; ')}${more > 0 ? `; and ${more} more in the report` : ''}.`;
}

/** A dash where there is no figure. */
function figure(row: StoredRow | undefined, key: string, suffix = ''): string {
  const value = row && numberOf(row, key);
  return value === undefined ? '–' : `${label(value)}${suffix}`;
}

/** The gateway's rows; a rate of a gateway that had time to spare is called at least that. */
function httpTable({ rows, machine }: StoredReport): string {
  const corpus = (machine.corpus ?? {}) as StoredRow;
  const head = `over HTTP, one server core, ${figure(corpus, 'credentials')} distinct credentials`;
  const lines = rows
    .filter((row) => row.target === 'gateway')
    .map((row) => {
      const isBatch = row.request === 'batch';
      const rate = figure(row, 'credentialsPerSecond', isBatch ? ' credentials' : ' calls');
      const isLeast = row.bottleneck !== 'server' && numberOf(row, 'credentialsPerSecond') !== undefined;
      const cpuUs = numberOf(row, 'serverCpuUsPerRequest');
      const share = numberOf(row, 'shareOfEmpty');
      return [
        isBatch
          ? `batches of ${figure(row, 'batch')}, ${answerOf(row)}`
          : `single calls, JSON, ${figure(row, 'connections')} connections`,
        `${isLeast ? 'at least ' : ''}${rate}`,
        share === undefined
          ? '–'
          : `${row.shareIsUpperBound ? 'at most ' : ''}${label(100 * share)} % of ${emptyRate(rows, row)}`,
        figure(row, 'xFastifyFastJwt', ' ×'),
        cpuUs === undefined ? '–' : cpuUs < 1_000 ? `${label(cpuUs)} µs` : `${label(cpuUs / 1_000)} ms`,
      ];
    });
  return markdownTable(
    [head, 'a second', 'empty uWebSockets.js handler', 'fastify + fast-jwt', 'CPU a call'],
    lines,
  );
}

function answerOf(row: StoredRow): string {
  return row.answer === 'bytes' ? 'text lines, a byte for each' : 'JSON';
}

/** Of the empty handler that had as many connections. */
function emptyRate(rows: readonly StoredRow[], { connections }: StoredRow): string {
  return figure(
    rows.find((row) => row.target === 'empty-uws' && row.connections === connections),
    'requestsPerSecond',
  );
}

function kernelTable({ rows }: StoredReport): string {
  const one = rows.filter((row) => row.workers === 1);
  const shapes: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
    ['known key, batches of 256', { path: 'known', keys: 1, batch: 256 }],
    ['known key, batches of 8', { path: 'known', keys: 1, batch: 8 }],
    ['known key, one by one', { path: 'known', keys: 1, batch: 1 }],
    ['64 known keys at random, batches of 256', { path: 'known', keys: 64, batch: 256 }],
    ['unknown keys, batches of 256', { path: 'unknown', batch: 256 }],
  ];
  const lines = shapes.flatMap(([name, shape]) =>
    (['ifma', 'portable'] as const).flatMap((implementation) => {
      const row = one.find(
        (candidate) =>
          candidate.implementation === implementation &&
          Object.entries(shape).every(([key, value]) => candidate[key] === value),
      );
      const engine = implementation === 'ifma' ? 'AVX-512 IFMA' : 'portable';
      return row === undefined
        ? []
        : [[name, engine, figure(row, 'perSecond'), figure(row, 'xOpenssl', ' ×')]];
    }),
  );
  const head = 'signatures, one core, called from JavaScript';
  return markdownTable([head, 'implementation', 'a second', 'node:crypto in the same run'], lines);
}

function revocationTable({ rows }: StoredReport): string {
  const lines = rows.map((row) => [
    inCell(textOf(row, 'what')),
    figure(row, 'value', ` ${textOf(row, 'unit')}`).trim(),
    figure(row, 'bar'),
  ]);
  return markdownTable(['revocation data, real Redis', 'measured', 'bar'], lines);
}

function peersTable({ rows }: StoredReport): string {
  const lines = rows.map((row) => [
    inCell([textOf(row, 'peer'), textOf(row, 'version')].filter((word) => word !== '').join(' ')),
    row.isCached === true ? 'results cached' : textOf(row, 'kind'),
    row.notRun === undefined ? figure(row, 'credentialsPerSecond') : 'not run',
    figure(row, 'p99Ms', ' ms'),
    figure(row, 'cpuUsPerVerification', ' µs'),
    figure(row, 'rssMiB', ' MiB'),
    Array.isArray(row.cannot) && row.cannot.length > 0 ? inCell(row.cannot.join('; ')) : '–',
  ]);
  const p99 = 'p99, closed loop, each at its own saturation';
  const columns = ['', 'a second', p99, 'CPU a verification', 'memory', 'what it cannot do'];
  return markdownTable(['side by side, the same tokens and cores', ...columns], lines);
}

function nationTable({ rows }: StoredReport): string {
  const lines = rows.map((row) => [
    inCell([textOf(row, 'part'), textOf(row, 'what')].filter((word) => word !== '').join(': ')),
    ...['askedPerSecond', 'achievedPerSecond', 'p50Ms', 'p99Ms', 'p999Ms'].map((key) => figure(row, key)),
    figure(row, 'value', ` ${inCell(textOf(row, 'unit'))}`).trim(),
    inCell(textOf(row, 'expectation')) || '–',
    row.pass === undefined ? '–' : row.pass ? 'yes' : '**no**',
  ]);
  const rates = ['asked a second', 'done', 'p50 ms', 'p99 ms', 'p99.9 ms'];
  return markdownTable(["the nation's workload", ...rates, 'measured', 'expected', 'met'], lines);
}
