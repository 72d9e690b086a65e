/**
 * A thread of the kernel suite's row with several workers: verifies as fast as it can from one signal to another.
 * Plain JavaScript on the built service, as a data-plane worker is.
 */
import { parentPort, workerData } from 'node:worker_threads';

const { engineModule, implementation, batches, keyCacheBytes, signal } = workerData;
const { createNativeEngine } = await import(engineModule);
const { engine } = createNativeEngine({ keyCacheBytes, kernel: implementation });
const cell = new Int32Array(signal);
const signatures = batches.flat().length;

/** Whole passes over the input while the signal stands at `phase`. */
function run(phase) {
  const start = performance.now();
  let verified = 0;
  while (Atomics.load(cell, 0) === phase) {
    for (const batch of batches) {
      if (engine.verify(batch).includes(0)) throw new Error('the native engine refused an honest signature');
    }
    verified += signatures;
  }
  return (verified / (performance.now() - start)) * 1000;
}

parentPort.postMessage({ ready: true });
// 0: warm up; 1: measured; 2: over.
run(0);
parentPort.postMessage({ perSecond: run(1) });
