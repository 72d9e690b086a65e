/** Real threads that take the same proofs at the same instants, some of which are killed in the middle of it. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { afterEach, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { openReplayTable, usedPlaces } from '../../src/replay/replay-table.ts';
import { createSweeping } from '../../src/replay/sweeping.ts';
import { createTaking } from '../../src/replay/taking.ts';
import { nextMessage } from '../support/typescript-worker.ts';
import { makeRace, type Race, startRacer } from './race.ts';

const workers: Worker[] = [];
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.terminate()));
});

function start(race: Race, count = race.threads): Worker[] {
  const started = Array.from({ length: count }, () => startRacer(race));
  workers.push(...started);
  return started;
}

/** Sweeps as the main thread does, only without pause, until all is over. */
async function sweepUntil(race: Race, over: Promise<unknown>): Promise<void> {
  const sweep = createSweeping(openReplayTable(race.table), systemClock.monotonicMs);
  let isOver = false;
  void over.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    sweep(1_000);
    await sleep(0);
  }
}

const firstsOf = ({ firsts }: Race) => [...new Int32Array(firsts)];

it('of threads that take one proof at one instant exactly one is the first', async () => {
  const race = makeRace({ threads: 4, rounds: 400, perRound: 250, lifeMs: 600_000, capacity: 100_100 });
  const done = Promise.all(start(race).map((worker) => nextMessage<{ full: number }>(worker)));
  await sweepUntil(race, done);
  expect((await done).map(({ full }) => full)).toEqual([0, 0, 0, 0]);
  expect(new Set(firstsOf(race))).toEqual(new Set([1]));
  expect(usedPlaces(openReplayTable(race.table))).toBe(100_000);
}, 120_000);

it('also while places are swept and used again all the time', async () => {
  // A life is longer than a round, so that nothing of a round is forgotten while it lasts, and there is room for a few
  // rounds only: each place is used dozens of times.
  const race = makeRace({ threads: 3, rounds: 300, perRound: 200, lifeMs: 300, capacity: 2_000 });
  const done = Promise.all(start(race).map((worker) => nextMessage<{ full: number }>(worker)));
  await sweepUntil(race, done);
  const firsts = firstsOf(race);
  expect(firsts.filter((count) => count > 1)).toEqual([]);
  // Whoever found no room was told so: nobody was forgotten for it.
  const untaken = firsts.filter((count) => count === 0).length;
  const refused = (await done).reduce((sum, { full }) => sum + full, 0);
  expect(refused).toBeGreaterThanOrEqual(untaken);
  expect(firsts.filter((count) => count === 1).length).toBeGreaterThan(2_000);
}, 120_000);

it('a thread that is killed in the middle holds nobody up, and makes nobody the first twice', async () => {
  for (let kill = 0; kill < 12; kill++) {
    const race = makeRace({ threads: 2, rounds: 1, perRound: 200_000, lifeMs: 600_000, capacity: 210_000 });
    const [victim, survivor] = start(race, 2) as [Worker, Worker];
    const survived = nextMessage<{ full: number }>(survivor);
    const cells = new Int32Array(race.gate);
    while (Atomics.load(cells, 0) < 2) await sleep(1);
    await sleep(kill);
    const exited = once(victim, 'exit');
    await victim.terminate();
    await exited;
    expect((await survived).full).toBe(0);
    const firsts = firstsOf(race);
    expect(firsts.filter((count) => count > 1)).toEqual([]);
    // What the dead thread took and did not tell is known all the same; it is one at most.
    expect(firsts.filter((count) => count === 0).length).toBeLessThanOrEqual(1);
    const table = openReplayTable(race.table);
    expect(usedPlaces(table)).toBeLessThanOrEqual(200_001);
    const take = createTaking(table, systemClock, 0);
    const ids = new Uint8Array(race.ids);
    for (let i = 0; i < 200_000; i += 97) {
      expect(take(ids.subarray(16 * i, 16 * i + 16), systemClock.wallMs() + 1_000)).toBe('seen');
    }
  }
}, 180_000);
