/** One thread of a race for a bucket: takes and corrects as fast as it can, and says what it was given. */
import { parentPort, workerData } from 'node:worker_threads';
import { openBuckets } from '../../src/callers/buckets.ts';
import type { KnownCaller } from '../../src/callers/caller-index.ts';

export interface BucketRace {
  readonly shared: SharedArrayBuffer;
  readonly caller: KnownCaller;
  /** Threads wait for one another here. */
  readonly gate: Int32Array;
  readonly threads: number;
  readonly asks: number;
  readonly nowMs: number;
}

const { shared, caller, gate, threads, asks, nowMs } = workerData.data as BucketRace;
const { take, correct } = openBuckets(shared);
Atomics.add(gate, 0, 1);
Atomics.notify(gate, 0);
for (let here = Atomics.load(gate, 0); here < threads; here = Atomics.load(gate, 0))
  Atomics.wait(gate, 0, here);
let given = 0;
for (let i = 0; i < asks; i++) {
  if (take(caller, 3, nowMs) !== 0) continue;
  // Each time it came to one fewer, or one more.
  const came = i % 2 === 0 ? 2 : 4;
  correct(caller, came - 3, nowMs);
  given += came;
}
parentPort?.postMessage(given);
