import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { dayOf, REPORT_FILE, renderReport } from '../../bench/src/report/markdown.ts';
import { linearScale, logScale } from '../../bench/src/report/scale.ts';
import { speedTables } from '../../bench/src/report/speed-tables.ts';
import {
  partialRun,
  readStoredReports,
  type StoredReport,
  storeReport,
} from '../../bench/src/report/stored-results.ts';
import { LATEST_RESULTS } from '../support/readme-tables.ts';

const folder = mkdtempSync(join(tmpdir(), 'vigie-report-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MACHINE = {
  cpu: 'a processor',
  cores: 2,
  kernel: '6.1',
  node: 'v20.20.2',
  commit: '0123456789abcdef',
  dirty: false,
  date: '2026-11-26T16:00:00.000Z',
};

function report(suite: string, rows: StoredReport['rows'], more: Partial<StoredReport> = {}): StoredReport {
  return { suite, machine: MACHINE, rows, warnings: [], ...more };
}

const byName = (...reports: StoredReport[]) => new Map(reports.map((one) => [one.suite, one]));

const STEPS = [0.5, 1, 2].map((load) => ({
  ...{ suite: 'overload', case: 'single', load, okPerSecond: 1_000 * Math.min(1, load), p99Ms: 3 * load },
  ofCapacity: Math.min(1, load),
  ...(load < 1 ? {} : { condition: 'goodput' }),
}));
const OVERLOAD = report('overload', STEPS);
const PEERS = report('peers', [
  { kind: 'gateway', peer: 'vigie', version: '0.1.0', credentialsPerSecond: 50_000, p99Ms: 2, rssMiB: 200 },
  {
    kind: 'gateway',
    peer: 'a <peer> & "others" | more',
    credentialsPerSecond: 4_000,
    p99Ms: 20,
    cannot: ['revoke'],
  },
  { kind: 'engine', peer: 'noble', credentialsPerSecond: 500 },
]);
const NATION = report('nation', [
  {
    part: 'worst second',
    askedPerSecond: 9_600,
    achievedPerSecond: 9_600,
    p50Ms: 1,
    p99Ms: 2,
    p999Ms: 3,
    expectation: 'p99 < 50 ms',
    pass: true,
  },
  { part: 'audit', what: 'a year', value: 2.5, unit: 'hours' },
]);

describe('the committed results', () => {
  it('are rendered as they stand in bench/results/ (npm run bench -- report writes them)', () => {
    const results = join(LATEST_RESULTS, '..');
    const files = renderReport(readStoredReports(LATEST_RESULTS));
    expect(readdirSync(results).filter((name) => name !== 'latest')).toEqual([...files.keys()].sort());
    for (const [name, content] of files)
      expect(readFileSync(join(results, name), 'utf8'), name).toBe(content);
  });
});

describe('a report', () => {
  it('has the same bytes whenever and in whatever order its results were stored', () => {
    const [one, other] = [join(folder, 'one'), join(folder, 'other')];
    for (const stored of [OVERLOAD, PEERS, NATION]) storeReport(one, stored);
    const first = renderReport(readStoredReports(one));
    for (const stored of [NATION, OVERLOAD, PEERS]) storeReport(other, stored);
    expect(renderReport(readStoredReports(other))).toEqual(first);
    expect([...renderReport(readStoredReports(one))]).toEqual([...first]);
    expect([...first.keys()]).toEqual([
      REPORT_FILE,
      ...['peers-gateways.svg', 'peers-gateways-latency.svg', 'peers-engines.svg'],
      ...['nation-rates.svg', 'nation-latency.svg', 'overload-latency-single.svg', 'overload-goodput.svg'],
    ]);
  });

  it('shows each plot that it has, each warning, and says what is not stored or failed', () => {
    const failed = report('scale', [{ case: 'memory', measured: 3 }], {
      failed: true,
      warnings: ['too slow'],
    });
    const files = renderReport(byName(OVERLOAD, failed));
    const page = files.get(REPORT_FILE) as string;
    for (const name of files.keys()) if (name !== REPORT_FILE) expect(page).toContain(`](${name})`);
    expect(page).toContain('Not among the stored results: kernel, http, peers, nation, presence');
    expect(page).toContain('- too slow');
    expect(page.match(/This run failed/g)).toHaveLength(1);
    expect(page).toContain(
      'a processor, 2 cores; Linux 6.1; Node v20.20.2; commit 0123456789ab; 26 November 2026',
    );
  });

  it('keeps markup in names from being taken for its own', () => {
    const files = renderReport(byName(PEERS));
    const svg = files.get('peers-gateways.svg') as string;
    expect(svg).toContain('a &#60;peer&#62; &#38; &#34;others&#34; | more');
    expect(files.get(REPORT_FILE)).toContain('a \\<peer\\> & "others" \\| more');
  });

  it('takes any rows without failing, and draws no coordinate that is none', () => {
    const value = fc.oneof(fc.double(), fc.string(), fc.boolean(), fc.constant(null), fc.array(fc.string()));
    const keys = [
      'load',
      'okPerSecond',
      'p99Ms',
      'credentialsPerSecond',
      'askedPerSecond',
      'achievedPerSecond',
      'batch',
      'perSecond',
    ];
    const words = {
      case: 'single',
      kind: 'gateway',
      workers: 1,
      path: 'unknown',
      part: 'p',
      target: 'gateway',
    };
    const row = fc.dictionary(fc.constantFrom(...keys, 'peer', 'request', 'implementation'), value);
    const suite = fc.constantFrom('kernel', 'http', 'peers', 'nation', 'overload', 'revocation', 'another');
    fc.assert(
      fc.property(suite, fc.array(row), (name, rows) => {
        const reports = byName(
          report(
            name,
            rows.map((one) => ({ ...words, ...one })),
          ),
        );
        for (const [file, content] of renderReport(reports))
          if (file.endsWith('.svg')) expect(content).not.toMatch(/NaN|Infinity/);
        expect(speedTables(reports)).not.toMatch(/NaN|undefined/);
      }),
    );
  });
});

describe('stored results', () => {
  it('come back as they were stored, in the order of the report', () => {
    const place = join(folder, 'stored');
    for (const stored of [report('zeta', []), OVERLOAD, report('kernel', [{ suite: 'kernel' }])])
      storeReport(place, stored);
    expect([...readStoredReports(place).keys()]).toEqual(['kernel', 'overload', 'zeta']);
    expect(readStoredReports(place).get('overload')).toEqual(OVERLOAD);
  });

  it('are whole runs that expect what is right', () => {
    const parts = ['gateways', 'engines'];
    expect(partialRun({ only: ['engines', 'gateways'], falsify: false }, parts)).toBeUndefined();
    expect(partialRun({ only: [], falsify: false })).toBeUndefined();
    expect(partialRun({ only: ['engines'], falsify: false }, parts)).toContain('without gateways');
    expect(partialRun({ only: parts, falsify: true }, parts)).toContain('--falsify');
  });

  it.each([
    '{"suite":"kernel"}',
    '{"suite":"http","machine":{},"rows":[]}',
    '{"suite":"kernel","machine":{},"rows":[3]}',
  ])('that are none are no report: %s', (text) => {
    const place = join(folder, 'broken');
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'kernel.json'), text);
    expect(() => readStoredReports(place)).toThrow('kernel.json');
  });
});

describe("the README's figures", () => {
  const row = {
    ...{
      target: 'gateway',
      request: 'single',
      answer: 'json',
      batch: 1,
      connections: 32,
      credentialsPerSecond: 52_020,
    },
    ...{ shareOfEmpty: 0.604, xFastifyFastJwt: 14.5, serverCpuUsPerRequest: 19.69, bottleneck: 'server' },
  };
  const empty = { target: 'empty-uws', request: 'single', connections: 32, requestsPerSecond: 94_570 };
  const crowd = { connections: 128 };

  it('are those of the stored run', () => {
    const line =
      '| single calls, JSON, 32 connections | 52,020 calls | 60.4 % of 94,570 | 14.5 × | 19.69 µs |';
    const more = { ...empty, ...crowd, requestsPerSecond: 101_000 };
    const text = speedTables(byName(report('http', [more, row, empty, { ...row, ...crowd }])));
    expect(text).toContain(line);
    expect(text).toContain('| single calls, JSON, 128 connections | 52,020 calls | 60.4 % of 101,000 |');
  });

  it('say so where the gateway or the empty handler had time to spare', () => {
    const held = { ...row, bottleneck: 'neither', shareIsUpperBound: true };
    const line = '| at least 52,020 calls | at most 60.4 % of 94,570 |';
    expect(speedTables(byName(report('http', [held, empty])))).toContain(line);
  });

  it('are none of a gateway whose generator set the rate', () => {
    const held = {
      ...crowd,
      target: 'gateway',
      request: 'single',
      answer: 'json',
      batch: 1,
      bottleneck: 'generator',
    };
    const line = '| single calls, JSON, 128 connections | – | – | – | – |';
    expect(speedTables(byName(report('http', [held, empty])))).toContain(line);
  });

  it('stand beside what the run says against them', () => {
    const warnings = ['something else runs', 'a | b', 'x'.repeat(1_000), 'the last one'];
    const text = speedTables(byName(report('http', [row, empty], { warnings })));
    expect(text).toContain('**The run warns:** something else runs; a \\| b; xxx');
    expect(text).toContain('…; and 1 more in the report.');
    expect(text).not.toContain('the last one');
    expect(speedTables(byName(report('http', [row, empty])))).not.toContain('warns');
  });

  it('are none where an answer was wrong', () => {
    const text = speedTables(byName(report('http', [row, empty], { failed: true })));
    expect(text).toContain('count for nothing');
    expect(text).not.toContain('52,020');
  });
});

describe('a scale', () => {
  const positive = fc.double({ min: 1e-6, max: 1e9, noNaN: true });

  it('holds every value between its ends, and its ticks rise', () => {
    fc.assert(
      fc.property(fc.array(positive, { minLength: 1 }), (values) => {
        for (const scale of [linearScale(Math.max(...values), 0, 100), logScale(values, 0, 100)]) {
          for (const value of values) expect(Math.abs(scale.at(value) - 50)).toBeLessThan(50.001);
          expect(scale.ticks).toEqual([...scale.ticks].sort((a, b) => a - b));
          expect(new Set(scale.ticks).size).toBe(scale.ticks.length);
          expect(scale.ticks.length).toBeGreaterThan(1);
        }
      }),
    );
  });
});

it('a day is written out, and what is none is left as it is', () => {
  expect(dayOf('2026-01-05T00:00:00Z')).toBe('5 January 2026');
  expect(dayOf('2026-13-05')).toBe('2026-13-05');
  expect(dayOf('undefined')).toBe('undefined');
});
