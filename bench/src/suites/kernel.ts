/**
 * Suite `kernel`: the signature engines alone, in this process, on one core. No HTTP, no decoding, no cache of
 * results: how many signatures a second an engine judges, called from JavaScript.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { coreCyclesPerNanosecond } from '../core-clock.ts';
import { makeSignatures, SIGNATURES } from '../corpus/signatures.ts';
import type { Options } from '../options.ts';
import { DIST_DIR } from '../paths.ts';
import { median, significant } from '../statistics.ts';
import { type Row, type Suite, type SuiteResult, Unavailable } from '../suite.ts';
import {
  type Built,
  type Cell,
  createReference,
  type Implementation,
  KEY_CACHE_BYTES,
  loadBuilt,
  makeGroup,
  measure,
  SHAPES,
} from './kernel-cells.ts';
import { type MeasureWorkers, prepareWorkers, WORKERS_SHAPE } from './kernel-workers.ts';

/** How long a measurement takes, unless `--seconds` says otherwise. */
const DEFAULT_SECONDS = 0.4;

export const kernelSuite: Suite = {
  name: 'kernel',
  summary: 'signature engines alone, in-process: known and unknown keys, single and in batches',
  run,
};

async function run(options: Options): Promise<SuiteResult> {
  if (!existsSync(join(DIST_DIR, 'signature', 'native-engine.js'))) {
    throw new Unavailable('the service is not built: npm run build');
  }
  const built = await loadBuilt();
  const implementations = implementationsFor(options, built);
  const seconds = options.seconds ?? DEFAULT_SECONDS;
  pinThisProcess([options.serverCore]);
  const reference = createReference();
  const groups = [];
  for (const shape of SHAPES) groups.push(await makeGroup(shape, implementations, built));
  // Every round visits every cell, the engines of one shape side by side with node:crypto just before: a slow
  // minute of the machine touches all alike.
  for (let round = 1; round <= options.rounds; round++) {
    console.error(`bench: kernel, round ${round} of ${options.rounds}`);
    for (const { cells } of groups) {
      const perSecond = reference(seconds);
      for (const cell of cells) {
        cell.references.push(perSecond);
        cell.rates.push(measure(cell, seconds));
        const cycles = coreCyclesPerNanosecond();
        if (cycles !== undefined) cell.cyclesPerNanosecond.push(cycles);
      }
    }
  }
  const cells = groups.flatMap((group) => group.cells);
  const natives = implementations.filter((name) => name === 'ifma' || name === 'portable');
  const rows = [
    ...cells.map(rowOf),
    ...(await rowsOfWorkers(natives, options, seconds, reference, await prepareWorkers(built))),
  ];
  return {
    rows,
    columns: [
      ...['engine', 'implementation', 'path', 'window', 'keys', 'batch', 'workers'].map((key) => ({
        key,
        title: key,
      })),
      { key: 'perSecond', title: 'signatures/s' },
      { key: 'cyclesPerSignature', title: 'cycles' },
      { key: 'xOpenssl', title: 'x OpenSSL' },
    ],
    facts: {
      engines: [...new Map(cells.map(({ engine }) => [engine.implementation, engine.name]))].map(
        ([implementation, name]) => ({ name, implementation }),
      ),
      tables: natives.length > 0 ? tableFacts(built) : [],
      signatures: SIGNATURES,
      rounds: options.rounds,
      secondsARound: seconds,
    },
    warnings: [],
    failed: false,
  };
}

/** The implementations that this machine runs and that were asked for; OpenSSL always, as the measure of all. */
function implementationsFor({ engine }: Options, { native }: Built): Implementation[] {
  const natives = engine === 'auto' || engine === 'native' ? native.nativeImplementations() : [];
  if (engine === 'native' && natives.length === 0) throw new Unavailable('the native engine is not built');
  if (engine === 'auto' && natives.length === 0)
    console.error('bench: without the native engine: it is not built');
  return [...natives, 'openssl', ...(engine === 'auto' || engine === 'noble' ? (['noble'] as const) : [])];
}

/** All threads of this process, the garbage collector's too: one core is one core. */
function pinThisProcess(cores: readonly number[]): void {
  try {
    execFileSync('taskset', ['-a', '-c', '-p', cores.join(','), String(process.pid)], { stdio: 'ignore' });
  } catch {
    throw new Unavailable(
      `taskset cannot pin to core ${cores.join(',')}: is it installed (util-linux), is there such a core?`,
    );
  }
}

function rowOf(cell: Cell): Row {
  const { shape, implementation, window, rates, references, cyclesPerNanosecond, engine } = cell;
  const cycles = cyclesPerNanosecond.map((perNs, round) => (perNs * 1e9) / (rates[round] as number));
  // The median of the rounds' own ratios: both sides of each were measured within seconds of one another.
  const ratios = rates.map((rate, round) => rate / (references[round] as number));
  return {
    suite: 'kernel',
    engine: engine.name,
    implementation,
    path: shape.path,
    ...(window === undefined ? {} : { window }),
    batch: shape.batch,
    keys: shape.keys,
    workers: 1,
    perSecond: significant(median(rates)),
    ...(cycles.length === 0 ? {} : { cyclesPerSignature: significant(median(cycles), 3) }),
    xOpenssl: significant(median(ratios), 3),
    opensslPerSecond: significant(median(references)),
    roundsPerSecond: rates.map((rate) => significant(rate)),
  };
}

/** One worker and two, in turn in each round; the ratio is to node:crypto on one core. */
async function rowsOfWorkers(
  natives: readonly Implementation[],
  options: Options,
  seconds: number,
  reference: (seconds: number) => number,
  measureWorkers: MeasureWorkers,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const implementation of natives) {
    const rates: Record<1 | 2, number[]> = { 1: [], 2: [] };
    const references: number[] = [];
    for (let round = 1; round <= options.rounds; round++) {
      pinThisProcess([options.serverCore]);
      references.push(reference(seconds));
      pinThisProcess([options.serverCore, options.generatorCore]);
      for (const workers of [1, 2] as const)
        rates[workers].push(await measureWorkers(implementation, workers, seconds));
    }
    for (const workers of [1, 2] as const) {
      const ratios = rates[workers].map((rate, round) => rate / (references[round] as number));
      rows.push({
        suite: 'kernel',
        engine: 'native',
        implementation,
        ...WORKERS_SHAPE,
        window: 11,
        workers,
        perSecond: significant(median(rates[workers])),
        xOpenssl: significant(median(ratios), 3),
        opensslPerSecond: significant(median(references)),
        roundsPerSecond: rates[workers].map((rate) => significant(rate)),
      });
    }
  }
  return rows;
}

const TABLE_WINDOWS = [6, 8, 9, 10, 11, 12];
const BUILDS = 7;

/** Memory of a prepared key and the time it takes to make one, in this thread. */
function tableFacts({ addon: { loadNativeAddon } }: Built) {
  const loaded = loadNativeAddon();
  if (!loaded.ok) return [];
  const { addon } = loaded;
  return TABLE_WINDOWS.map((window) => {
    const times = makeSignatures(BUILDS).publicKeys.map((key) => {
      const start = performance.now();
      addon.prepareKeyNow(key, window, KEY_CACHE_BYTES);
      return performance.now() - start;
    });
    return { window, bytesPerKey: addon.preparedKeyBytes(window), buildMs: significant(median(times), 3) };
  });
}
