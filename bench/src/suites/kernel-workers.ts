/** The kernel suite's rows with several workers at once, each on a core of its own if there are as many. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { intoBatches, makeSignatures } from '../corpus/signatures.ts';
import { DIST_DIR, sourceFile } from '../paths.ts';
import { type Built, type Implementation, KEY_CACHE_BYTES } from './kernel-cells.ts';

const WARM_UP_MS = 200;
export const WORKERS_SHAPE = { path: 'known', keys: 8, batch: 256 } as const;

/** Signatures a second of all workers together, on keys whose tables they share. */
export type MeasureWorkers = (
  implementation: Implementation,
  workers: number,
  seconds: number,
) => Promise<number>;

export async function prepareWorkers({ native }: Built): Promise<MeasureWorkers> {
  const { checks, publicKeys } = makeSignatures(WORKERS_SHAPE.keys);
  const batches = intoBatches(checks, WORKERS_SHAPE.batch);
  const creation = native.createNativeEngine({ keyCacheBytes: KEY_CACHE_BYTES });
  if (creation.ok) await creation.engine.prepare?.(publicKeys);
  return async (implementation, workers, seconds) => {
    const signal = new SharedArrayBuffer(4);
    const cell = new Int32Array(signal);
    const engineModule = pathToFileURL(join(DIST_DIR, 'signature', 'native-engine.js')).href;
    const workerData = { engineModule, implementation, batches, keyCacheBytes: KEY_CACHE_BYTES, signal };
    const threads = Array.from(
      { length: workers },
      () => new Worker(sourceFile('suites', 'kernel-worker.mjs'), { workerData, execArgv: [] }),
    );
    await Promise.all(threads.map(nextMessage));
    await sleep(WARM_UP_MS);
    const rates = threads.map(nextMessage);
    Atomics.store(cell, 0, 1);
    await sleep(seconds * 1000);
    Atomics.store(cell, 0, 2);
    const measured = await Promise.all(rates);
    return measured.reduce((sum, { perSecond = 0 }) => sum + perSecond, 0);
  };
}

function nextMessage(worker: Worker): Promise<{ readonly perSecond?: number }> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}
