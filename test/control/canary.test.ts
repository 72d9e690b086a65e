/** The canary's rounds in virtual time: deadlines, recovery, and how often anything is asked, counted and told. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { startCanary } from '../../src/control/canary.ts';
import type { LogFields } from '../../src/log.ts';
import type { CanaryAnswer } from '../../src/workers/canary.ts';

const INTERVAL_MS = 1_000;
const DEADLINE_MS = 10_000;
const RIGHT: CanaryAnswer = { right: true, fields: {} };
const WRONG: CanaryAnswer = { right: false, fields: { revoked: 'ok' } };

// Immediates are real: they are what stands between a deadline and its verdict.
beforeEach(
  () => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] }),
);
afterEach(() => void vi.useRealTimers());

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Two workers: what they are asked waits in `open` until the test answers. */
function world({ armed = true } = {}) {
  const open: ((answer: CanaryAnswer | undefined) => void)[][] = [[], []];
  const told: [string, string, LogFields | undefined][] = [];
  const startWorker = (queue: (typeof open)[number], worker: number) => ({
    worker,
    ask: () => new Promise<CanaryAnswer | undefined>((resolve) => void queue.push(resolve)),
  });
  const workers = open.map(startWorker);
  /** Another in its place, which nothing was asked of. */
  const replace = (worker: number): void => {
    open[worker] = [];
    workers[worker] = startWorker(open[worker], worker);
  };
  let fails = false;
  const changes = {
    applyChanges: vi.fn(() => ({ outcome: 'unavailable', cause: 'log-unreachable' }) as const),
    retireKey: () => {
      throw new Error('the canary retires no key');
    },
  };
  const canary = startCanary({
    config: { canaryIntervalMs: INTERVAL_MS, canaryDeadlineMs: DEADLINE_MS },
    clock: { wallMs: () => 0, monotonicMs: () => 0 },
    log: (level, event, fields) => void told.push([level, event, fields]),
    status: { changes, statusOf: () => ({ status: armed ? 'revoked' : 'active' }) },
    state: {
      setCanaryFails: (now) => {
        fails = now;
      },
    },
    workers: () => workers,
  });
  const answer = async (worker: number, given: CanaryAnswer | undefined) => {
    const settle = open[worker]?.shift();
    if (settle === undefined) throw new Error('nothing was asked');
    settle(given);
    await turn();
  };
  return { canary, changes, open, told, fails: () => fails, answer, replace };
}

it('asks every worker at once and then once an interval', async () => {
  const { canary, open, answer, fails } = world();
  for (let round = 1; round <= 3; round++) {
    expect(open.map(({ length }) => length)).toEqual([1, 1]);
    for (const worker of [0, 1]) await answer(worker, RIGHT);
    vi.advanceTimersByTime(INTERVAL_MS);
  }
  expect(canary.facts()).toMatchObject({ healthy: true, runs: { ok: 6, unarmed: 0, wrong: 0, late: 0 } });
  expect(fails()).toBe(false);
});

it('fails from the first wrong answer until every worker answers rightly, and tells each change once', async () => {
  const { canary, told, answer, fails } = world();
  const round = async (first: CanaryAnswer, second: CanaryAnswer) => {
    await answer(0, first);
    await answer(1, second);
    vi.advanceTimersByTime(INTERVAL_MS);
    return fails();
  };
  expect(await round(RIGHT, WRONG)).toBe(true);
  expect(await round(WRONG, WRONG)).toBe(true);
  expect(await round(WRONG, RIGHT)).toBe(true);
  expect(canary.facts().healthy).toBe(false);
  expect(await round(RIGHT, RIGHT)).toBe(false);
  expect(canary.facts()).toMatchObject({ healthy: true, runs: { ok: 4, wrong: 4, late: 0 } });
  const wrongly = 'the canary is answered wrongly';
  const again = 'the canary is answered rightly again';
  expect(told.slice(1)).toEqual([
    ['error', wrongly, { worker: 1, revoked: 'ok' }],
    ['error', wrongly, { worker: 0, revoked: 'ok' }],
    ['info', again, { worker: 1 }],
    ['info', again, { worker: 0 }],
  ]);
});

it('counts a worker that does not answer once, asks it nothing more, and believes it when it does', async () => {
  const { canary, open, answer, fails } = world();
  await answer(1, RIGHT);
  vi.advanceTimersByTime(DEADLINE_MS - 1);
  await turn();
  expect(fails()).toBe(false);
  vi.advanceTimersByTime(1);
  await turn();
  expect(fails()).toBe(true);
  vi.advanceTimersByTime(5 * DEADLINE_MS);
  await turn();
  expect(open.map(({ length }) => length)).toEqual([1, 1]);
  // The other worker was asked once and is as late by now.
  expect(canary.facts().runs).toEqual({ ok: 1, unarmed: 0, wrong: 0, late: 2 });
  await answer(0, RIGHT);
  expect(fails()).toBe(true);
  await answer(1, RIGHT);
  expect(fails()).toBe(false);
  expect(canary.facts().runs).toEqual({ ok: 1, unarmed: 0, wrong: 0, late: 2 });
});

it('forgets a worker that was replaced, and asks the one in its place', async () => {
  const { canary, open, told, answer, replace, fails } = world();
  await answer(1, WRONG);
  vi.advanceTimersByTime(DEADLINE_MS);
  await turn();
  expect([fails(), canary.facts().runs]).toEqual([true, { ok: 0, unarmed: 0, wrong: 1, late: 1 }]);
  const [[late = () => {}] = [], [gone = () => {}] = []] = open;
  for (const worker of [0, 1]) replace(worker);
  // One ends; the other, which nobody listens to any more, answers after all.
  gone(undefined);
  await turn();
  expect([fails(), canary.facts().healthy]).toEqual([false, true]);
  late(WRONG);
  await turn();
  expect(fails()).toBe(false);
  vi.advanceTimersByTime(INTERVAL_MS);
  for (const worker of [0, 1]) await answer(worker, worker === 0 ? RIGHT : WRONG);
  expect([fails(), canary.facts().healthy]).toEqual([true, false]);
  expect(told.at(-1)).toEqual(['error', 'the canary is answered wrongly', { worker: 1, revoked: 'ok' }]);
});

it('does not call an answer late that was there while this thread was held up', async () => {
  const { canary, answer, fails } = world();
  // Its timers are due and the answers unread when the thread goes on.
  vi.advanceTimersByTime(DEADLINE_MS);
  const both = Promise.all([answer(0, RIGHT), answer(1, RIGHT)]);
  await both;
  await turn();
  expect(fails()).toBe(false);
  expect(canary.facts().runs).toMatchObject({ ok: 2, late: 0 });
});

it('believes a late answer that is wrong', async () => {
  const { answer, fails, told } = world();
  await answer(1, RIGHT);
  vi.advanceTimersByTime(DEADLINE_MS);
  await turn();
  await answer(0, WRONG);
  expect(fails()).toBe(true);
  expect(told.at(-1)).toEqual(['error', 'the canary is answered wrongly', { worker: 0, revoked: 'ok' }]);
});

it('tries to be armed in every round, says once that it is not, and suffers nothing from it', async () => {
  const { canary, changes, told, answer, fails } = world({ armed: false });
  for (let round = 1; round <= 3; round++) {
    for (const worker of [0, 1]) await answer(worker, RIGHT);
    expect(changes.applyChanges).toHaveBeenCalledTimes(round);
    vi.advanceTimersByTime(INTERVAL_MS);
  }
  expect(canary.facts()).toMatchObject({ healthy: true, runs: { ok: 0, unarmed: 6 } });
  expect(fails()).toBe(false);
  const fields = { outcome: 'unavailable', cause: 'log-unreachable' };
  expect(told).toEqual([['info', 'the canary is not armed yet', fields]]);
});

it('says nothing more once it is stopped, or of a thread that is gone', async () => {
  const { canary, told, answer, fails } = world();
  await answer(0, undefined);
  canary.stop();
  await answer(1, WRONG);
  expect([fails(), told.length]).toEqual([false, 1]);
});
