/** A thread that hangs is told from a process that stood still. */
import { describe, expect, it } from 'vitest';
import { createSilenceWatch } from '../../src/workers/silence-watch.ts';

describe('silence watch', () => {
  it('adds up the time since the last beat', () => {
    const watch = createSilenceWatch(100);
    expect(watch.look(0, 5)).toBe(0);
    for (let at = 100; at <= 1_000; at += 100) expect(watch.look(at, 5)).toBe(at);
    expect(watch.look(1_100, 1_050)).toBe(0);
    expect(watch.look(1_200, 1_050)).toBe(100);
  });

  it('counts no time in which it was not looking itself', () => {
    const watch = createSilenceWatch(100);
    watch.look(0, 5);
    watch.look(100, 5);
    expect(watch.look(3_600_000, 5)).toBe(300);
    expect(watch.look(3_600_100, 3_600_050)).toBe(0);
  });
});
