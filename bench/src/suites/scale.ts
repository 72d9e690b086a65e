/**
 * Suite `scale`: whether a second worker costs what the first one does, how long single calls take at half of what a
 * gateway can do, and whether its memory stays where it is at full load. Each row states its bar.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Corpus, prepareCorpus } from '../corpus/credentials.ts';
import type { Options } from '../options.ts';
import { CACHE_DIR } from '../paths.ts';
import { requireTaskset } from '../process/programs.ts';
import { engineOf, type Gateway, type GatewaySpec, startGateway } from '../process/targets.ts';
import { median, significant } from '../statistics.ts';
import type { Row, Suite, SuiteResult } from '../suite.ts';
import { condition, conditionResult } from './conditions.ts';
import { type Bench, closedLoop, openLoopBench, SETTLE_SECONDS } from './open-loop-bench.ts';
import { measureMemory } from './scale-memory.ts';
import { measureWorkers, type WorkersResult } from './scale-workers.ts';

const PARTS = ['workers', 'latency', 'memory'] as const;
const MOST_P99_MS = 5;
/** With fewer of them served, the p99 of those that are says nothing. */
const LEAST_SERVED = 0.99;
const HALF = 0.5;

/** How long a measurement takes, unless `--seconds` says otherwise. */
const DEFAULT_SECONDS = 5;

export const scaleSuite: Suite = {
  name: 'scale',
  summary:
    'two workers beside one, single calls at half the capacity, memory at full load, each with its bar',
  parts: PARTS,
  run,
};

async function run(options: Options): Promise<SuiteResult> {
  requireTaskset();
  const corpus = prepareCorpus(CACHE_DIR, options.credentials, (text) => console.error(`bench: ${text}`));
  const seconds = options.seconds ?? DEFAULT_SECONDS;
  const results: WorkersResult[] = [];
  const engines: unknown[] = [];
  const withBench = (measure: (bench: Bench) => Promise<readonly Row[]>) =>
    withGateway(options, corpus, { workers: 1, cores: [options.serverCore] }, async (gateway) => {
      const bench = openLoopBench('scale', gateway, corpus, { ...options, phaseSeconds: seconds });
      engines.push(await engineOf(gateway.metricsUrl));
      const rows = await measure(bench);
      results.push({ rows, warnings: bench.warnings, wrongs: bench.wrongs });
    });
  for (const part of PARTS.filter((known) => options.only.includes(known))) {
    if (part === 'latency') await withBench((bench) => measureLatency(bench, options.rounds));
    else if (part === 'memory') await withBench((bench) => measureMemory(bench, options.minutes));
    else {
      // Both may use both cores: they differ in the number of their workers alone.
      const cores = [options.serverCore, options.generatorCore];
      await withGateway(options, corpus, { workers: 1, cores }, (one) =>
        withGateway(options, corpus, { workers: 2, cores }, async (two) => {
          engines.push(await engineOf(one.metricsUrl));
          results.push(await measureWorkers({ 1: one, 2: two }, options, corpus, seconds));
        }),
      );
    }
  }
  return resultOf(results, engines.slice(0, 1), options);
}

async function withGateway(
  { engine }: Options,
  corpus: Corpus,
  spec: Pick<GatewaySpec, 'workers' | 'cores'>,
  use: (gateway: Gateway) => Promise<void>,
): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'vigie-bench-'));
  const removeData = () => rmSync(dataDir, { recursive: true, force: true });
  process.once('exit', removeData);
  try {
    const gateway = await startGateway({ ...spec, engine, dataDir }, corpus);
    await use(gateway).finally(() => gateway.server.stop());
  } finally {
    process.off('exit', removeData);
    removeData();
  }
}

/** Single calls, sent when they are due; a phase for each round. */
async function measureLatency(bench: Bench, rounds: number): Promise<Row[]> {
  // What the compiler of the machine has not seen yet is slower by half: the first run counts for nothing.
  await closedLoop(bench, 'single');
  const capacity = await closedLoop(bench, 'single');
  const phases = Array.from({ length: rounds }, () => bench.phaseSeconds);
  const { report, waitedShare } = await bench.load('single calls at half the capacity', phases, [
    {
      name: 'single',
      items: 0,
      connections: 2_000,
      source: '127.0.0.1',
      rates: phases.map(() => HALF * capacity),
    },
  ]);
  const tallies = report.streams.flatMap((stream) => stream.phases);
  const p99Ms = median(tallies.map(({ okLatency }) => okLatency.p99Us / 1000));
  const served = median(tallies.map(({ ok, due }) => ok / Math.max(1, due)));
  const perSecond = median(tallies.map(({ due }) => due / (bench.phaseSeconds - SETTLE_SECONDS)));
  return [
    condition({
      suite: 'scale',
      case: 'single, half the capacity',
      condition: 'p99 ms',
      bar: `<= ${MOST_P99_MS}`,
      measured: p99Ms,
      pass: p99Ms <= MOST_P99_MS && served >= LEAST_SERVED,
      capacityPerSecond: significant(capacity),
      credentialsPerSecond: significant(perSecond),
      served: significant(served, 5),
      p50Ms: significant(median(tallies.map(({ okLatency }) => okLatency.p50Us / 1000)), 3),
      p99Ms: significant(p99Ms, 3),
      ...(waitedShare !== undefined && { waitedShare: significant(waitedShare, 3) }),
      roundsP99Ms: tallies.map(({ okLatency }) => significant(okLatency.p99Us / 1000, 3)),
    }),
  ];
}

function resultOf(
  results: readonly WorkersResult[],
  engines: readonly unknown[],
  { rounds, seconds, minutes, only }: Options,
): SuiteResult {
  return conditionResult({
    rows: results.flatMap((result) => result.rows),
    columns: [
      { key: 'case', title: 'case' },
      { key: 'condition', title: 'condition' },
      { key: 'bar', title: 'bar' },
      { key: 'measured', title: 'measured' },
      { key: 'pass', title: 'pass' },
      { key: 'credentialsPerCpuSecond', title: 'credentials/CPU-s' },
      { key: 'credentialsPerSecond', title: 'credentials/s' },
      { key: 'serverUtilisation', title: 'server' },
      { key: 'generatorUtilisation', title: 'generator' },
      { key: 'callsPerTurn', title: 'calls a turn' },
      { key: 'lostShare', title: 'lost' },
      { key: 'p99Ms', title: 'p99 ms' },
      { key: 'waitedShare', title: 'waited for its core' },
      { key: 'meanMiB', title: 'mean MiB' },
      { key: 'slopeMiBPerHour', title: 'MiB/h' },
    ],
    facts: {
      engines,
      rounds,
      secondsARound: seconds,
      minutes,
      parts: only,
      heap: 'as in production: no setting',
    },
    warnings: results.flatMap(({ warnings }) => warnings),
    wrongs: results.flatMap(({ wrongs }) => wrongs),
  });
}
