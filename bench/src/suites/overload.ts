/**
 * Suite `overload`: more than a real gateway can do, sent when it is due and not when there is room. Capacity is found
 * by a closed loop first; then single calls and batches at multiples of it, a surge of batches beside single calls,
 * and one caller that wants ten times what nine others want.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareCorpus } from '../corpus/credentials.ts';
import {
  type OpenLoopReport,
  type PhaseTally,
  prepareOpenLoop,
  runOpenLoop,
  type StreamSpec,
} from '../load/open-loop.ts';
import type { Options } from '../options.ts';
import { CACHE_DIR } from '../paths.ts';
import type { PinnedServer } from '../process/pinned-server.ts';
import { significant } from '../statistics.ts';
import type { Row, Suite, SuiteResult } from '../suite.ts';
import { engineOf, startGateway } from './http.ts';
import {
  BARS,
  detailsOf,
  LOADS,
  memoryCondition,
  servedCondition,
  stepConditions,
} from './overload-conditions.ts';

const SETTLE_SECONDS = 1;
/** Whoever waits longer has given up. */
const PATIENCE_SECONDS = 1;
const BATCH_ITEMS = 1_000;
/** Callers wait on connections: a gateway that answers late is sent less by them than is due, and that counts. */
const CONNECTIONS = { single: 2_000, batch: 200 } as const;
const CLOSED_CONNECTIONS = { single: 128, batch: 8 } as const;
const MEMORY_SAMPLE_MS = 100;
/** A generator that was later than this (p99) is part of every latency. */
const LAG_LIMIT_MS = 1;

export const overloadSuite: Suite = {
  name: 'overload',
  summary:
    'one to five times the capacity, open loop: goodput, latency, recovery, fairness, each with its bar',
  defaultSeconds: 4,
  run,
};

const say = (text: string): void => console.error(`bench: ${text}`);

/** One gateway under test, and how to put load on it. */
interface Bench {
  readonly server: PinnedServer;
  readonly warnings: string[];
  readonly phaseSeconds: number;
  load(what: string, phaseSeconds: readonly number[], streams: readonly StreamSpec[]): Promise<Measured>;
}

interface Measured {
  readonly report: OpenLoopReport;
  readonly beforeMiB: number;
  readonly mostMiB: number;
}

async function run(options: Options): Promise<SuiteResult> {
  const program = prepareOpenLoop();
  const corpus = prepareCorpus(CACHE_DIR, options.credentials, say);
  const dataDir = mkdtempSync(join(tmpdir(), 'vigie-bench-'));
  const removeData = () => rmSync(dataDir, { recursive: true, force: true });
  process.once('exit', removeData);
  const { target, metricsUrl } = await startGateway(options, corpus, dataDir);
  const { server } = target;
  const warnings: string[] = [];
  const wrongs: string[] = [];
  const phaseSeconds = options.seconds ?? overloadSuite.defaultSeconds;
  const load: Bench['load'] = async (what, phases, streams) => {
    say(`overload, ${what}`);
    const memory = watchMemory(server.pid);
    const spec = {
      port: Number(new URL(target.origin).port),
      credentialsFile: corpus.credentialsFile,
      core: options.generatorCore,
      settleSeconds: SETTLE_SECONDS,
      patienceSeconds: PATIENCE_SECONDS,
      phaseSeconds: phases,
      streams,
    };
    const report = await runOpenLoop(program, spec);
    const { beforeMiB, mostMiB } = memory.stop();
    const lagMs = report.lag.p99Us / 1000;
    for (const { name, phases: tallies } of report.streams) {
      const wrong = tallies.reduce((sum, tally) => sum + tally.wrong, 0);
      if (wrong > 0) wrongs.push(`${what}, ${name}: ${wrong} answers were neither right nor a refusal`);
    }
    if (lagMs > LAG_LIMIT_MS) {
      warnings.push(
        `${what}: the generator itself was late (p99 ${significant(lagMs, 3)} ms), and sent less than was due`,
      );
    }
    await server.untilIdle();
    return { report, beforeMiB, mostMiB };
  };
  const bench: Bench = { server, warnings, phaseSeconds, load };
  try {
    const engine = await engineOf(metricsUrl);
    const rows: Row[] = [];
    // What the compiler of the machine has not seen yet is slower by half: the first run counts for nothing.
    for (const kind of ['single', 'batch'] as const) await closedLoop(bench, kind);
    const capacity = { single: await closedLoop(bench, 'single'), batch: await closedLoop(bench, 'batch') };
    rows.push(...(await steps(bench, 'single', capacity.single)));
    rows.push(...(await steps(bench, 'batch', capacity.batch)));
    rows.push(...(await batchSurge(bench, capacity)));
    rows.push(...(await hogBesideOthers(bench, capacity.single)));
    return resultOf(
      rows,
      { warnings, wrongs },
      {
        engines: [engine],
        capacityPerSecond: capacity,
        batchItems: BATCH_ITEMS,
      },
    );
  } finally {
    await server.stop();
    removeData();
  }
}

const itemsOf = (kind: 'single' | 'batch'): number => (kind === 'single' ? 0 : BATCH_ITEMS);

/** Calls a second when there is always another one. */
async function closedLoop(bench: Bench, kind: 'single' | 'batch'): Promise<number> {
  const seconds = bench.phaseSeconds;
  const { report } = await bench.load(
    `capacity, ${kind}`,
    [seconds],
    [
      {
        name: kind,
        items: itemsOf(kind),
        connections: CLOSED_CONNECTIONS[kind],
        source: '127.0.0.1',
        rates: [-1],
      },
    ],
  );
  return phaseOf(report, kind, 0).ok / (seconds - SETTLE_SECONDS);
}

async function steps(bench: Bench, kind: 'single' | 'batch', capacity: number): Promise<Row[]> {
  const { phaseSeconds } = bench;
  const phases = LOADS.map((_, index) =>
    index === LOADS.length - 1 ? BARS.recoverySeconds + 2 : phaseSeconds,
  );
  const { report, beforeMiB, mostMiB } = await bench.load(`steps, ${kind}`, phases, [
    {
      name: kind,
      items: itemsOf(kind),
      connections: CONNECTIONS[kind],
      source: '127.0.0.1',
      rates: LOADS.map((load) => load * capacity),
    },
  ]);
  const stream = report.streams[0] as OpenLoopReport['streams'][number];
  const counted = phaseSeconds - SETTLE_SECONDS;
  const below = LOADS.slice(0, 2).map((load, phase) => ({
    suite: 'overload',
    case: kind,
    load,
    ...detailsOf(stream.phases[phase] as PhaseTally, counted),
  }));
  const times = { capacity, phaseSeconds, settleSeconds: SETTLE_SECONDS };
  return [...below, ...stepConditions(kind, stream, times), memoryCondition(kind, beforeMiB, mostMiB)];
}

/** Batches at a quarter of their capacity, twelve times that, and back; single calls at a third of theirs. */
async function batchSurge(
  bench: Bench,
  capacity: { readonly single: number; readonly batch: number },
): Promise<Row[]> {
  const { phaseSeconds } = bench;
  const { report, beforeMiB, mostMiB } = await bench.load(
    'a surge of batches',
    [phaseSeconds, 2 * phaseSeconds],
    [
      { name: 'single', items: 0, connections: 500, source: '127.0.0.1', rates: [0.3 * capacity.single] },
      {
        name: 'batch',
        items: BATCH_ITEMS,
        connections: CONNECTIONS.batch,
        source: '127.0.0.1',
        rates: [0.25 * capacity.batch, 3 * capacity.batch],
      },
    ],
  );
  const counted = 2 * phaseSeconds - SETTLE_SECONDS;
  const what = 'surge of batches';
  const singles = [phaseOf(report, 'single', 1)];
  return [
    servedCondition(what, 'single calls', BARS.singlesServed, singles, counted),
    {
      suite: 'overload',
      case: what,
      ...detailsOf(phaseOf(report, 'batch', 1), counted),
      note: 'the batches',
    },
    memoryCondition(what, beforeMiB, mostMiB),
  ];
}

/** Nine callers with 0.08 of the capacity each, and one that wants ten times as much, each from its own address. */
async function hogBesideOthers(bench: Bench, capacity: number): Promise<Row[]> {
  const { phaseSeconds } = bench;
  const share = 0.08 * capacity;
  const others = Array.from({ length: 9 }, (_, index) => ({
    name: `other-${index}`,
    items: 0,
    // Enough for what is due while the machine stands still for some 50 ms.
    connections: 250,
    source: `127.0.0.${index + 11}`,
    rates: [share],
  }));
  const hog = { name: 'hog', items: 0, connections: 1_000, source: '127.0.0.10', rates: [10 * share] };
  const { report } = await bench.load(
    'one caller wants ten times as much',
    [2 * phaseSeconds],
    [hog, ...others],
  );
  const counted = 2 * phaseSeconds - SETTLE_SECONDS;
  const what = 'one hog beside nine';
  return [
    servedCondition(
      what,
      'the others',
      BARS.othersServed,
      others.map(({ name }) => phaseOf(report, name, 0)),
      counted,
    ),
    { suite: 'overload', case: what, ...detailsOf(phaseOf(report, 'hog', 0), counted), note: 'the hog' },
  ];
}

function phaseOf(report: OpenLoopReport, name: string, phase: number): PhaseTally {
  return report.streams.find((stream) => stream.name === name)?.phases[phase] as PhaseTally;
}

/** Resident memory of the server while the load is on. */
function watchMemory(pid: number) {
  const read = (): number => {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kib) / 1024;
  };
  const beforeMiB = read();
  let mostMiB = beforeMiB;
  const timer = setInterval(() => {
    mostMiB = Math.max(mostMiB, read());
  }, MEMORY_SAMPLE_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return { beforeMiB, mostMiB };
    },
  };
}

function resultOf(
  rows: readonly Row[],
  { warnings, wrongs }: { readonly warnings: readonly string[]; readonly wrongs: readonly string[] },
  facts: Readonly<Record<string, unknown>>,
): SuiteResult {
  const missed = rows.filter(({ pass }) => pass === false);
  return {
    rows,
    columns: [
      { key: 'case', title: 'case' },
      { key: 'load', title: 'x capacity' },
      { key: 'condition', title: 'condition' },
      { key: 'bar', title: 'bar' },
      { key: 'measured', title: 'measured' },
      { key: 'pass', title: 'pass' },
      { key: 'duePerSecond', title: 'due/s' },
      { key: 'okPerSecond', title: 'served/s' },
      { key: 'refusedPerSecond', title: 'refused/s' },
      { key: 'unsentPerSecond', title: 'unsent/s' },
      { key: 'p50Ms', title: 'p50 ms' },
      { key: 'p99Ms', title: 'p99 ms' },
    ],
    facts,
    warnings: [
      ...warnings,
      ...wrongs,
      ...(missed.length > 0 ? [`${missed.length} conditions are not met`] : []),
    ],
    failed: missed.length > 0 || wrongs.length > 0,
  };
}
