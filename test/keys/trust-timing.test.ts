import { describe, expect, test } from 'vitest';
import { createSingleFlight } from '../../src/keys/single-flight.ts';
import { delayMs } from '../../src/keys/trust-refresh-timer.ts';

describe('waits', () => {
  const times = { refreshMs: 300_000, retryMinMs: 1_000, retryMaxMs: 30_000 };
  test('retries double from the first to the longest, between half and all of the wait', () => {
    const longest = { ...times, random: () => 1 };
    const shortest = { ...times, random: () => 0 };
    expect([1, 2, 3, 4, 5, 6, 7].map((n) => delayMs(longest, n))).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000,
    ]);
    expect([1, 6].map((n) => delayMs(shortest, n))).toEqual([500, 15_000]);
    expect(delayMs(longest, 5_000)).toBe(30_000);
  });

  test('intervals differ by a tenth at most', () => {
    expect(delayMs({ ...times, random: () => 0 }, 0)).toBe(270_000);
    expect(delayMs({ ...times, random: () => 0.5 }, 0)).toBe(300_000);
    expect(delayMs({ ...times, random: () => 1 }, 0)).toBe(330_000);
  });
});

describe('single flight', () => {
  function flights() {
    const runs: { allowShrink: boolean; end: (result: string) => void; fail: (error: Error) => void }[] = [];
    const flight = createSingleFlight(
      (allowShrink) => new Promise<string>((end, fail) => runs.push({ allowShrink, end, fail })),
    );
    return { runs, flight };
  }
  const turn = () => new Promise((done) => setImmediate(done));

  test('calls before a run begins share it, calls during it share the next', async () => {
    const { runs, flight } = flights();
    const first = [flight.ask(false), flight.ask(false)];
    await turn();
    const second = [flight.ask(false), flight.ask(false), flight.ask(false)];
    await turn();
    expect(runs.length).toBe(1);
    runs[0]?.end('first');
    expect(await Promise.all(first)).toEqual(['first', 'first']);
    await turn();
    expect(runs.length).toBe(2);
    runs[1]?.end('second');
    expect(await Promise.all(second)).toEqual(['second', 'second', 'second']);
  });

  test('a call with allowShrink gets a run with it, and carries along who waits', async () => {
    const { runs, flight } = flights();
    void flight.ask(false);
    await turn();
    void flight.ask(false);
    void flight.ask(true);
    runs[0]?.end('');
    await turn();
    expect(runs.map((run) => run.allowShrink)).toEqual([false, true]);
  });

  test('a run that throws does not stop the next', async () => {
    const { runs, flight } = flights();
    const failing = flight.ask(false);
    await turn();
    const next = flight.ask(false);
    runs[0]?.fail(new Error('broken'));
    await expect(failing).rejects.toThrow('broken');
    await turn();
    runs[1]?.end('well');
    expect(await next).toBe('well');
    await flight.idle();
  });
});
