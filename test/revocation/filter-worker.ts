/** A worker that asks the filter before and after the main thread added a hash, within one turn. */
import { parentPort, workerData } from 'node:worker_threads';
import { attachFilter } from '../../src/revocation/bloom-filter.ts';

const { filter, signal, hash } = workerData.data as {
  filter: SharedArrayBuffer;
  signal: SharedArrayBuffer;
  hash: Uint8Array;
};
const reader = attachFilter(filter);
const cells = new Int32Array(signal);
const before = reader.mightContain(hash);
Atomics.store(cells, 0, 1);
Atomics.wait(cells, 1, 0);
parentPort?.postMessage({ before, after: reader.mightContain(hash), entries: reader.entries() });
