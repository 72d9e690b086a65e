/**
 * Suite `overload`: more than a real gateway can do, sent when it is due and not when there is room. Capacity is found
 * by a closed loop first; then single calls and batches at multiples of it, a surge of batches beside single calls,
 * and one caller that wants ten times what nine others want.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareCorpus } from '../corpus/credentials.ts';
import type { Options } from '../options.ts';
import { CACHE_DIR } from '../paths.ts';
import { engineOf, startGateway } from '../process/targets.ts';
import type { Row, Suite, SuiteResult } from '../suite.ts';
import { conditionResult } from './conditions.ts';
import { BATCH_ITEMS, type Bench, closedLoop, openLoopBench } from './open-loop-bench.ts';
import { batchSurge, hogBesideOthers, steps } from './overload-loads.ts';

/** How long a measurement takes, unless `--seconds` says otherwise. */
const DEFAULT_SECONDS = 4;

export const overloadSuite: Suite = {
  name: 'overload',
  summary:
    'one to five times the capacity, open loop: goodput, latency, recovery, fairness, each with its bar',
  run,
};

const say = (text: string): void => console.error(`bench: ${text}`);

async function run(options: Options): Promise<SuiteResult> {
  const corpus = prepareCorpus(CACHE_DIR, options.credentials, say);
  const dataDir = mkdtempSync(join(tmpdir(), 'vigie-bench-'));
  const removeData = () => rmSync(dataDir, { recursive: true, force: true });
  process.once('exit', removeData);
  const spec = { engine: options.engine, workers: 1, cores: [options.serverCore], dataDir };
  const gateway = await startGateway(spec, corpus);
  const phaseSeconds = options.seconds ?? DEFAULT_SECONDS;
  try {
    const bench = openLoopBench('overload', gateway, corpus, { ...options, phaseSeconds });
    const engine = await engineOf(gateway.metricsUrl);
    const rows: Row[] = [];
    // What the compiler of the machine has not seen yet is slower by half: the first run counts for nothing.
    for (const kind of ['single', 'batch'] as const) await closedLoop(bench, kind);
    const capacity = { single: await closedLoop(bench, 'single'), batch: await closedLoop(bench, 'batch') };
    rows.push(...(await steps(bench, 'single', capacity.single)));
    rows.push(...(await steps(bench, 'batch', capacity.batch)));
    rows.push(...(await batchSurge(bench, capacity)));
    rows.push(...(await hogBesideOthers(bench, capacity.single)));
    return resultOf(rows, bench, {
      engines: [engine],
      capacityPerSecond: capacity,
      batchItems: BATCH_ITEMS,
    });
  } finally {
    await gateway.server.stop();
    removeData();
  }
}

function resultOf(rows: readonly Row[], bench: Bench, facts: SuiteResult['facts']): SuiteResult {
  return conditionResult({
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
      { key: 'generatorLagMs', title: 'generator p99 ms late' },
      { key: 'generatorUtilisation', title: 'generator' },
    ],
    facts,
    warnings: bench.warnings,
    wrongs: bench.wrongs,
  });
}
