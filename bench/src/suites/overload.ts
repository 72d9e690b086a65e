/**
 * Suite `overload`: more than a real gateway can do, sent when it is due and not when there is room. In each
 * round single calls and batches at multiples of the capacity, which a closed loop finds before and behind each, a surge
 * of batches beside single calls, and one caller that wants ten times what each of nine others does.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareCorpus } from '../corpus/credentials.ts';
import type { Options } from '../options.ts';
import { CACHE_DIR } from '../paths.ts';
import { engineOf, startGateway } from '../process/targets.ts';
import { median, significant } from '../statistics.ts';
import type { Row, Suite, SuiteResult } from '../suite.ts';
import { conditionResult } from './conditions.ts';
import { BATCH_ITEMS, type Bench, openLoopBench } from './open-loop-bench.ts';
import { batchSurge, capacityNow, hogBesideOthers, KINDS, type Kind, steps } from './overload-loads.ts';
import { medianRows } from './overload-rounds.ts';

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
    // What the compiler of the machine has not seen yet is slower by half: the first run counts for nothing.
    for (const kind of KINDS) await capacityNow(bench, kind);
    const rounds: Round[] = [];
    for (let round = 1; round <= options.rounds; round++) {
      say(`overload, round ${round} of ${options.rounds}`);
      rounds.push(await measureRound(bench));
    }
    const capacityOf = (kind: Kind) => significant(median(rounds.map(({ capacity }) => capacity[kind])));
    return resultOf(medianRows(rounds.map(({ rows }) => rows)), bench, {
      engines: [engine],
      capacityPerSecond: { single: capacityOf('single'), batch: capacityOf('batch') },
      batchItems: BATCH_ITEMS,
      rounds: options.rounds,
    });
  } finally {
    await gateway.server.stop();
    removeData();
  }
}

interface Round {
  readonly rows: readonly Row[];
  readonly capacity: Readonly<Record<Kind, number>>;
}

async function measureRound(bench: Bench): Promise<Round> {
  const rows: Row[] = [];
  const capacity = { single: 0, batch: 0 };
  for (const kind of KINDS) {
    const measured = await steps(bench, kind);
    capacity[kind] = measured.capacity;
    rows.push(...measured.rows);
  }
  rows.push(...(await batchSurge(bench, capacity)));
  rows.push(...(await hogBesideOthers(bench)));
  return { rows, capacity };
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
      { key: 'ofCapacity', title: 'of capacity' },
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
