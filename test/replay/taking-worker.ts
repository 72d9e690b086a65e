/** A thread that takes, in step with others: ids by number, `lives` of them a round, counting who was the first. */
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../src/clock.ts';
import { openReplayTable } from '../../src/replay/replay-table.ts';
import { createTaking } from '../../src/replay/taking.ts';
import type { Race } from './race.ts';

const { table, firsts, ids, gate, threads, rounds, perRound, lifeMs } = workerData.data as Race;
const take = createTaking(openReplayTable(table), systemClock, 0);
const counts = new Int32Array(firsts);
const cells = new Int32Array(gate);
const bytes = new Uint8Array(ids);
let full = 0;

/** Nobody begins a round before all are there, or dead. */
function meet(round: number): void {
  Atomics.add(cells, 0, 1);
  while (Atomics.load(cells, 0) < threads * (round + 1)) {}
}

for (let round = 0; round < rounds; round++) {
  meet(round);
  for (let i = round * perRound; i < (round + 1) * perRound; i++) {
    const taken = take(bytes.subarray(16 * i, 16 * i + 16), systemClock.wallMs() + lifeMs);
    if (taken === 'first') Atomics.add(counts, i, 1);
    if (taken === 'full') full++;
  }
}
parentPort?.postMessage({ full });
