/** One bucket for a caller, whichever threads its calls are at: nothing of a race is lost or given twice. */
import { expect, it } from 'vitest';
import { allocateBuckets, openBuckets } from '../../src/callers/buckets.ts';
import type { KnownCaller } from '../../src/callers/caller-index.ts';
import { nextMessage, startWorker } from '../support/typescript-worker.ts';
import type { BucketRace } from './bucket-race.ts';

const THREADS = 4;
const BURST = 300_000;
const COST_NS = 1_000_000;

it('threads that race for a bucket get what it holds, and it owes what they were given', async () => {
  const shared = allocateBuckets(2);
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const caller: KnownCaller = {
    name: 'raced-for',
    place: 1,
    scopes: new Set(),
    bucket: { costNs: COST_NS, depthNs: COST_NS * BURST, side: 0 },
  };
  const race: BucketRace = { shared, caller, gate, threads: THREADS, asks: 200_000, nowMs: 1_000 };
  const threads = Array.from({ length: THREADS }, () => startWorker('../callers/bucket-race.ts', race));
  const given = (await Promise.all(threads.map((thread) => nextMessage<number>(thread)))).reduce(
    (a, b) => a + b,
  );
  await Promise.all(threads.map((thread) => thread.terminate()));

  // More was asked for than there was; beyond it went at most what each thread was wrong about in its last call.
  expect(given).toBeGreaterThan(BURST - 3);
  expect(given).toBeLessThanOrEqual(BURST + THREADS);
  const owed = Number(new BigInt64Array(shared)[1]) / COST_NS - 1_000;
  expect(owed).toBe(given);
  expect(openBuckets(shared).take(caller, 3, 1_000)).toBeGreaterThan(0);
});
