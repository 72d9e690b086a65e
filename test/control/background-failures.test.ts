/** What goes on in the background and fails: it is told, and goes on. An unhandled rejection would fail the run. */
import { afterEach, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { type FirstStartOptions, runFirstStart } from '../../src/control/first-start.ts';
import { type LogCareOptions, startLogCare } from '../../src/control/shared-log-care.ts';
import type { Log } from '../../src/log.ts';
import { runReplicator } from '../../src/revocation/shared/replicator-runner.ts';

afterEach(() => vi.useRealTimers());

/** Keeps what is told at the level of errors. */
function listen(): { readonly log: Log; readonly errors: string[] } {
  const errors: string[] = [];
  return { errors, log: (level, event) => void (level === 'error' && errors.push(event)) };
}

it("a round of the log's care that throws does not end the rounds", async () => {
  vi.useFakeTimers();
  const { log, errors } = listen();
  let rounds = 0;
  const parts = {
    replicator: {
      status: () => {
        rounds++;
        throw new Error('a mistake');
      },
    },
    monotonicMs: systemClock.monotonicMs,
    log,
  } as unknown as LogCareOptions;
  const { stop } = startLogCare(parts);
  await vi.advanceTimersByTimeAsync(60_000);
  await stop();
  expect([rounds, errors.length]).toEqual([4, 4]);
});

it('a step of the replication that throws is told, and the next one comes', async () => {
  const ending = new AbortController();
  const failures: unknown[] = [];
  const waits: number[] = [];
  let steps = 0;
  const step = async () => {
    if (++steps < 3) throw new Error(`step ${steps}`);
    ending.abort();
    return { state: 'following', waitMs: 7 } as const;
  };
  const sleep = async (ms: number) => void waits.push(ms);
  await runReplicator({ step }, ending.signal, (error) => failures.push(error), sleep);
  expect(failures).toMatchObject([{ message: 'step 1' }, { message: 'step 2' }]);
  expect(waits).toEqual([1_000, 1_000]);
});

it('a start by the snapshot that fails is told, and the copy takes over', async () => {
  const { log, errors } = listen();
  let complete = false;
  const options = {
    log: { readFilter: () => Promise.reject(new Error('a mistake')) },
    store: {
      completeness: {
        set: (is: boolean) => {
          complete = is;
        },
      },
    },
    copy: { head: () => ({ ok: true, value: { whole: true } }) },
    signal: new AbortController().signal,
    isFollowing: () => true,
    enforceRetirements: () => Promise.reject(new Error('another')),
    report: log,
  } as unknown as FirstStartOptions;
  const start = runFirstStart(options);
  await vi.waitFor(() => expect(errors).toHaveLength(2));
  expect(errors).toEqual([
    'the start by the snapshot of the filter failed',
    'retired keys were not enforced',
  ]);
  expect([start.isOver(), complete]).toEqual([true, true]);
});
