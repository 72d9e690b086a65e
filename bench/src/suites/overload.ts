/**
 * Suite `overload`: more than a real gateway can do, sent when it is due and not when there is room. Capacity is found
 * by a closed loop first; then single calls and batches at multiples of it, a surge of batches beside single calls,
 * and one caller that wants ten times what nine others want.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareCorpus } from '../corpus/credentials.ts';
import { prepareOpenLoop, runOpenLoop } from '../load/open-loop.ts';
import type { Options } from '../options.ts';
import { CACHE_DIR } from '../paths.ts';
import { significant } from '../statistics.ts';
import type { Row, Suite, SuiteResult } from '../suite.ts';
import { engineOf, startGateway } from './http.ts';
import {
  BATCH_ITEMS,
  type Bench,
  batchSurge,
  closedLoop,
  hogBesideOthers,
  SETTLE_SECONDS,
  steps,
} from './overload-loads.ts';

/** Whoever waits longer has given up. */
const PATIENCE_SECONDS = 1;
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
