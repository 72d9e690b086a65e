/** What the kernel suite measures: shapes of input, the engines that take them, and one measurement. */
import { type KeyObject, verify } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { SignatureCheck, SignatureEngine } from '../../../src/signature/engine.ts';
import { intoBatches, makeSignatures, SIGNATURES, type SignatureCorpus } from '../corpus/signatures.ts';
import { DIST_DIR } from '../paths.ts';

type AddonModule = typeof import('../../../src/native/addon.ts');
type NativeModule = typeof import('../../../src/signature/native-engine.ts');
type PlanModule = typeof import('../../../src/signature/table-plan.ts');
type SelectModule = typeof import('../../../src/signature/select-engine.ts');

/** Modules of the service as built. */
export interface Built {
  readonly addon: AddonModule;
  readonly native: NativeModule;
  readonly plan: PlanModule;
  readonly select: SelectModule;
}

export async function loadBuilt(): Promise<Built> {
  const load = (name: string) => import(pathToFileURL(join(DIST_DIR, 'signature', `${name}.js`)).href);
  return {
    addon: (await load('../native/addon')) as AddonModule,
    native: (await load('native-engine')) as NativeModule,
    plan: (await load('table-plan')) as PlanModule,
    select: (await load('select-engine')) as SelectModule,
  };
}

/** Known keys were prepared, or used before; an unknown key is seen for the first time. */
export interface Shape {
  readonly path: 'known' | 'unknown';
  readonly keys: number;
  readonly batch: number;
  /** A window other than the one that the engine would choose for so many keys. */
  readonly window?: number;
}

const BATCHES = [1, 8, 64, 256, 1_024];
const known = (keys: number, batch: number, window?: number): Shape => ({
  path: 'known',
  keys,
  batch,
  ...(window === undefined ? {} : { window }),
});

export const SHAPES: readonly Shape[] = [
  ...BATCHES.map((batch) => known(1, batch)),
  ...[1, 64, 256].map((batch) => known(8, batch)),
  ...[1, 64, 256, 1_024].map((batch) => known(64, batch)),
  ...[8, 9, 10, 12].map((window) => known(1, 256, window)),
  ...[8, 9, 11].map((window) => known(64, 256, window)),
  ...BATCHES.map((batch): Shape => ({ path: 'unknown', keys: SIGNATURES, batch })),
];

export type Implementation = 'ifma' | 'portable' | 'openssl' | 'noble';

/** Shapes that say something of an engine: OpenSSL and noble have no batches, and noble is slow. */
export function isOf(implementation: Implementation, shape: Shape): boolean {
  if (implementation === 'ifma') return true;
  if (shape.window !== undefined) return false;
  if (implementation === 'portable') return true;
  return implementation === 'openssl' ? [1, 64].includes(shape.batch) : shape.batch === 1 && shape.keys !== 8;
}

/** Holds the tables of every shape at once, so that nothing is evicted between two rounds. */
export const KEY_CACHE_BYTES = 1024 ** 3;

/** One line of the table in the making. */
export interface Cell {
  readonly shape: Shape;
  readonly implementation: Implementation;
  readonly window: number | undefined;
  readonly batches: readonly SignatureCheck[][];
  readonly create: () => SignatureEngine;
  engine: SignatureEngine;
  /** Where the next round goes on in `batches`, so that rounds of a slow engine do not repeat their input. */
  next: number;
  readonly rates: number[];
  /** Raw node:crypto, measured just before in the same round. */
  readonly references: number[];
  readonly cyclesPerNanosecond: number[];
}

export interface Group {
  readonly shape: Shape;
  readonly cells: readonly Cell[];
}

/** The cells of a shape, their keys known to the engines where the shape says so. */
export async function makeGroup(
  shape: Shape,
  implementations: readonly Implementation[],
  built: Built,
): Promise<Group> {
  const corpus = makeSignatures(shape.keys);
  const batches = intoBatches(corpus.checks, shape.batch);
  const cells: Cell[] = [];
  for (const implementation of implementations) {
    if (!isOf(implementation, shape)) continue;
    const create = (): SignatureEngine => createEngine(implementation, built);
    const engine = create();
    const window = shape.path === 'known' ? await makeKnown(engine, shape, corpus, built) : undefined;
    const series = { rates: [], references: [], cyclesPerNanosecond: [] };
    cells.push({ shape, implementation, window, batches, create, engine, next: 0, ...series });
  }
  return { shape, cells };
}

function createEngine(implementation: Implementation, { native, select }: Built): SignatureEngine {
  const isNative = implementation === 'ifma' || implementation === 'portable';
  const creation = isNative
    ? native.createNativeEngine({ keyCacheBytes: KEY_CACHE_BYTES, kernel: implementation })
    : select.ENGINE_SOURCES.find(({ name }) => name === implementation)?.create({
        keyCacheBytes: KEY_CACHE_BYTES,
      });
  if (creation?.ok !== true) throw new Error(`the ${implementation} engine was to be had a moment ago`);
  return creation.engine;
}

/** Makes the keys known; the window of their tables, of an engine that has tables. */
async function makeKnown(
  engine: SignatureEngine,
  shape: Shape,
  { checks, publicKeys }: SignatureCorpus,
  { addon: { loadNativeAddon }, plan: { planTables } }: Built,
): Promise<number | undefined> {
  const loaded = loadNativeAddon();
  if (engine.name === 'native' && loaded.ok) {
    const { addon } = loaded;
    if (shape.window !== undefined) {
      for (const key of publicKeys) addon.prepareKeyNow(key, shape.window, KEY_CACHE_BYTES);
      return shape.window;
    }
    await engine.prepare?.(publicKeys);
    const bytesOf = (bits: number): number => addon.preparedKeyBytes(bits);
    return planTables(publicKeys.length, KEY_CACHE_BYTES, { bytesOf, minWindowBits: addon.minWindowBits })
      .windowBits;
  }
  const firstUses = publicKeys.map((key) => checks.find(({ publicKey }) => publicKey === key));
  engine.verify(firstUses.filter((check) => check !== undefined));
  return undefined;
}

/** Signatures judged between two looks at the clock: a look costs fifty nanoseconds. */
const BETWEEN_LOOKS = 64;

/** Signatures a second over `seconds` of engine time; making a fresh engine is not part of it. */
export function measure(cell: Cell, seconds: number): number {
  const { shape, batches } = cell;
  // OpenSSL and noble remember keys they have seen: only an engine that has seen none makes them unknown again.
  const renew = shape.path === 'unknown' && cell.engine.name !== 'native';
  let verified = 0;
  let elapsedMs = 0;
  while (elapsedMs < seconds * 1000) {
    if (cell.next === batches.length) cell.next = 0;
    if (renew && cell.next === 0) cell.engine = cell.create();
    const stop = Math.min(batches.length, cell.next + Math.ceil(BETWEEN_LOOKS / shape.batch));
    verified += (stop - cell.next) * shape.batch;
    const start = performance.now();
    for (; cell.next < stop; cell.next++) {
      expectAllValid(cell.engine, cell.engine.verify(batches[cell.next] as SignatureCheck[]));
    }
    elapsedMs += performance.now() - start;
  }
  return (verified / elapsedMs) * 1000;
}

/** A fast engine that is wrong has no speed. */
function expectAllValid(engine: SignatureEngine, verdicts: Uint8Array): void {
  if (verdicts.includes(0)) throw new Error(`the ${engine.name} engine refused an honest signature`);
}

/** What ratios are to: node:crypto itself with a key imported once, and nothing of ours around it. */
export function createReference(): (seconds: number) => number {
  const { checks, keyObjects } = makeSignatures(1);
  let next = 0;
  return (seconds) => {
    let verified = 0;
    const start = performance.now();
    let elapsedMs = 0;
    while (elapsedMs < seconds * 1000) {
      for (let i = 0; i < BETWEEN_LOOKS; i++, next = (next + 1) % SIGNATURES) {
        const { message, signature } = checks[next] as SignatureCheck;
        if (!verify(null, message, keyObjects[next] as KeyObject, signature))
          throw new Error('refused by OpenSSL');
      }
      verified += BETWEEN_LOOKS;
      elapsedMs = performance.now() - start;
    }
    return (verified / elapsedMs) * 1000;
  };
}
