/** Many threads that take the same ids at the same instants. */
import { randomFillSync } from 'node:crypto';
import type { Worker } from 'node:worker_threads';
import { systemClock } from '../../src/clock.ts';
import { allocateReplayTable } from '../../src/replay/replay-table.ts';
import { startWorker } from '../support/typescript-worker.ts';

export interface Race {
  readonly table: SharedArrayBuffer;
  /** Of each id, how many threads were told that they are the first. */
  readonly firsts: SharedArrayBuffer;
  readonly ids: SharedArrayBuffer;
  readonly gate: SharedArrayBuffer;
  readonly threads: number;
  readonly rounds: number;
  readonly perRound: number;
  readonly lifeMs: number;
}

export function makeRace(
  options: Pick<Race, 'threads' | 'rounds' | 'perRound' | 'lifeMs'> & { readonly capacity: number },
): Race {
  const { capacity, ...race } = options;
  const count = race.rounds * race.perRound;
  const ids = new SharedArrayBuffer(16 * count);
  const bytes = Buffer.alloc(16 * count);
  randomFillSync(bytes);
  new Uint8Array(ids).set(bytes);
  return {
    ...race,
    table: allocateReplayTable(capacity, systemClock.monotonicMs()),
    firsts: new SharedArrayBuffer(4 * count),
    ids,
    gate: new SharedArrayBuffer(4),
  };
}

export function startRacer(race: Race): Worker {
  return startWorker('../replay/taking-worker.ts', race);
}
