import { describe, expect, it } from 'vitest';
import { REMEMBERED_MS } from '../../src/ingress/admission/overload.ts';
import {
  CROWDED_PART,
  createStandingRoom,
  FAR_TOO_MUCH,
  FIRST_TRIAL_MS,
  LEAST_PART,
  RAREST_TRIAL_MS,
} from '../../src/ingress/admission/standing-room.ts';

const FITS = 0.9;
const TOO_MUCH = 1.1;

describe('the room for batches under overload', () => {
  it('is less for a while, then tried in whole where all that is wanted would fit', () => {
    const room = createStandingRoom();
    room.begin(100);
    expect(room.partNow(100 + FIRST_TRIAL_MS - 1, FITS)).toBe(CROWDED_PART);
    expect(room.partNow(100 + FIRST_TRIAL_MS, FITS)).toBe(1);
    // As long as nothing has to be refused, however full it gets.
    expect(room.partNow(100 + 10 * FIRST_TRIAL_MS, TOO_MUCH)).toBe(1);
  });

  it('is not tried where more is wanted than there would be room for; that is asked again later, not at once', () => {
    const room = createStandingRoom();
    room.begin(0);
    expect(room.partNow(FIRST_TRIAL_MS, TOO_MUCH)).toBe(CROWDED_PART);
    expect(room.partNow(2 * FIRST_TRIAL_MS - 1, FITS)).toBe(CROWDED_PART);
    expect(room.partNow(2 * FIRST_TRIAL_MS, FITS)).toBe(1);
  });

  it('is least where far too much is wanted', () => {
    const room = createStandingRoom();
    room.begin(0);
    expect(room.partNow(1, FAR_TOO_MUCH)).toBe(CROWDED_PART);
    expect(room.partNow(1, FAR_TOO_MUCH + 0.1)).toBe(LEAST_PART);
  });

  it('is tried the less often the more often that was in vain, but never given up', () => {
    const room = createStandingRoom();
    room.begin(0);
    const trials: number[] = [];
    for (let now = 0; trials.length < 8; now++) {
      if (room.partNow(now, FITS) !== 1) continue;
      trials.push(now);
      room.shed(now);
    }
    const waits = trials.map((at, index) => at - (trials[index - 1] ?? 0));
    expect(waits).toEqual([1, 2, 4, 8, 16, 16, 16, 16].map((times) => times * FIRST_TRIAL_MS));
    expect(waits.at(-1)).toBe(RAREST_TRIAL_MS);
  });

  it('is not changed by what is shed while it is less', () => {
    const room = createStandingRoom();
    room.begin(0);
    for (let now = 0; now < FIRST_TRIAL_MS; now++) room.shed(now);
    expect(room.partNow(FIRST_TRIAL_MS, FITS)).toBe(1);
  });

  it('remembers what was in vain where the overload comes back soon', () => {
    const afterPause = (pauseMs: number): number => {
      const room = createStandingRoom();
      room.begin(0);
      room.partNow(FIRST_TRIAL_MS, FITS);
      room.shed(FIRST_TRIAL_MS);
      room.end(2_000);
      const since = 2_000 + pauseMs;
      room.begin(since);
      let now = since;
      while (room.partNow(now, FITS) !== 1) now++;
      return now - since;
    };
    expect(afterPause(REMEMBERED_MS)).toBe(2 * FIRST_TRIAL_MS);
    expect(afterPause(REMEMBERED_MS + 1)).toBe(FIRST_TRIAL_MS);
  });
});
