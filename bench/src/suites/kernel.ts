/**
 * Suite `kernel`: the signature engines alone, in this process, on one core. No HTTP, no decoding, no cache of
 * results: how many signatures a second an engine judges.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { EngineName, SignatureCheck, SignatureEngine } from '../../../src/signature/engine.ts';
import type { EngineSource } from '../../../src/signature/select-engine.ts';
import { intoBatches, makeSignatures, SIGNATURES } from '../corpus/signatures.ts';
import type { Options } from '../options.ts';
import { DIST_DIR } from '../paths.ts';
import { median, significant } from '../statistics.ts';
import { type Suite, type SuiteResult, Unavailable } from '../suite.ts';

/** Ways to run an engine: options for its `create`, which appear as members of its rows. An engine has one at least. */
const VARIANTS: Partial<Record<EngineName, readonly Readonly<Record<string, number>>[]>> = {};
const PLAIN = [{}];

/** Known keys were used before and sit in the engine's cache; an unknown key is seen for the first time. */
const SHAPES = [
  ...[1, 8, 64].flatMap((keys) => [1, 64].map((batch) => ({ path: 'known' as const, keys, batch }))),
  { path: 'unknown' as const, keys: SIGNATURES, batch: 1 },
  { path: 'unknown' as const, keys: SIGNATURES, batch: 64 },
];
type Shape = (typeof SHAPES)[number];

/** Holds every key of every shape, so that no known key is evicted. */
const KEY_CACHE_BYTES = 256 * 1024 * 1024;

/** One line of the table in the making. */
interface Cell {
  readonly shape: Shape;
  readonly source: EngineSource;
  readonly variant: Readonly<Record<string, number>>;
  readonly batches: readonly SignatureCheck[][];
  readonly roundsPerSecond: number[];
  engine: SignatureEngine;
  /** Where the next round goes on in `batches`, so that rounds of a slow engine do not repeat their input. */
  next: number;
}

export const kernelSuite: Suite = {
  name: 'kernel',
  summary: 'signature engines alone, in-process: known and unknown keys, single and in batches',
  defaultSeconds: 1,
  run,
};

async function run(options: Options): Promise<SuiteResult> {
  const sources = await loadSources(options);
  pinThisProcess(options.serverCore);
  const cells = makeCells(sources);
  // Every round visits every cell, the engines of one shape side by side: a slow minute of the machine touches
  // all alike.
  for (let round = 1; round <= options.rounds; round++) {
    console.error(`bench: kernel, round ${round} of ${options.rounds}`);
    for (const cell of cells) cell.roundsPerSecond.push(measure(cell, options.seconds ?? 1));
  }
  return {
    rows: cells.map((cell) => rowOf(cell, cells)),
    columns: [
      ...['engine', 'implementation', 'path', 'keys', 'batch'].map((key) => ({ key, title: key })),
      ...[...new Set(cells.flatMap(({ variant }) => Object.keys(variant)))].map((key) => ({
        key,
        title: key,
      })),
      { key: 'perSecond', title: 'signatures/s' },
      { key: 'xOpenssl', title: 'x OpenSSL' },
    ],
    facts: {
      engines: [...new Map(cells.map(({ engine }) => [engine.name, engine.implementation]))].map(
        ([name, implementation]) => ({ name, implementation }),
      ),
      signatures: SIGNATURES,
      rounds: options.rounds,
      secondsARound: options.seconds,
    },
    warnings: [],
    failed: false,
  };
}

/** The service's own list of engines, as built. */
async function loadSources({ engine }: Options): Promise<readonly EngineSource[]> {
  const file = join(DIST_DIR, 'signature', 'select-engine.js');
  if (!existsSync(file)) throw new Unavailable('the service is not built: npm run build');
  const { ENGINE_SOURCES } = (await import(pathToFileURL(file).href)) as {
    ENGINE_SOURCES: readonly EngineSource[];
  };
  const wanted = ENGINE_SOURCES.filter(
    ({ name }) => engine === 'auto' || name === engine || name === 'openssl',
  );
  return wanted.filter((source) => {
    const creation = source.create({ keyCacheBytes: KEY_CACHE_BYTES });
    if (creation.ok) return true;
    if (source.name === engine) throw new Unavailable(`the ${engine} engine ${creation.because}`);
    console.error(`bench: without the ${source.name} engine, which ${creation.because}`);
    return false;
  });
}

/** All threads of this process, the garbage collector's too: one core is one core. */
function pinThisProcess(core: number): void {
  try {
    execFileSync('taskset', ['-a', '-c', '-p', String(core), String(process.pid)], { stdio: 'ignore' });
  } catch {
    throw new Unavailable(
      `taskset cannot pin to core ${core}: is it installed (util-linux), is there such a core?`,
    );
  }
}

function makeCells(sources: readonly EngineSource[]): Cell[] {
  const signatures = new Map([...new Set(SHAPES.map(({ keys }) => keys))].map((k) => [k, makeSignatures(k)]));
  return SHAPES.flatMap((shape) => {
    const batches = intoBatches(signatures.get(shape.keys) as readonly SignatureCheck[], shape.batch);
    return sources.flatMap((source) =>
      (VARIANTS[source.name] ?? PLAIN).map((variant): Cell => {
        const engine = createEngine(source, variant);
        return { shape, source, variant, batches, roundsPerSecond: [], engine, next: 0 };
      }),
    );
  });
}

function createEngine(source: EngineSource, variant: Cell['variant']): SignatureEngine {
  const creation = source.create({ keyCacheBytes: KEY_CACHE_BYTES, ...variant });
  if (!creation.ok) throw new Error(`the ${source.name} engine was to be had a moment ago`);
  return creation.engine;
}

/** Signatures a second over `seconds` of engine time; making a fresh engine is not part of it. */
function measure(cell: Cell, seconds: number): number {
  const { shape, batches } = cell;
  if (shape.path === 'known') judge(cell.engine, firstUseOfEachKey(cell));
  let verified = 0;
  let elapsedMs = 0;
  while (elapsedMs < seconds * 1000) {
    if (cell.next === batches.length) cell.next = 0;
    // After one pass every key has been seen: only an engine that has seen none makes them unknown again.
    if (shape.path === 'unknown' && cell.next === 0) cell.engine = createEngine(cell.source, cell.variant);
    const batch = batches[cell.next++] as SignatureCheck[];
    const start = performance.now();
    const verdicts = cell.engine.verify(batch);
    elapsedMs += performance.now() - start;
    expectAllValid(cell.engine, verdicts);
    verified += batch.length;
  }
  return (verified / elapsedMs) * 1000;
}

/** Signatures come in turn from the keys, so the first `keys` of them use each key once. */
function firstUseOfEachKey({ shape, batches }: Cell): SignatureCheck[] {
  return batches.slice(0, Math.ceil(shape.keys / shape.batch)).flat();
}

function judge(engine: SignatureEngine, checks: SignatureCheck[]): void {
  expectAllValid(engine, engine.verify(checks));
}

/** A fast engine that is wrong has no speed. */
function expectAllValid(engine: SignatureEngine, verdicts: Uint8Array): void {
  if (verdicts.includes(0)) throw new Error(`the ${engine.name} engine refused an honest signature`);
}

function rowOf(cell: Cell, cells: readonly Cell[]) {
  const reference = cells.find(({ shape, source }) => shape === cell.shape && source.name === 'openssl');
  // The median of the rounds' own ratios: both sides of each were measured within seconds of one another.
  const ratios = reference?.roundsPerSecond.map(
    (rate, round) => (cell.roundsPerSecond[round] as number) / rate,
  );
  return {
    suite: 'kernel',
    engine: cell.engine.name,
    implementation: cell.engine.implementation,
    ...cell.shape,
    ...cell.variant,
    perSecond: significant(median(cell.roundsPerSecond)),
    ...(ratios && { xOpenssl: significant(median(ratios), 3) }),
    roundsPerSecond: cell.roundsPerSecond.map((rate) => significant(rate)),
  };
}
