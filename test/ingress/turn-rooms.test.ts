import { describe, expect, it } from 'vitest';
import { createTurnRooms, FIXED_ROOMS } from '../../src/ingress/admission/turn-rooms.ts';

/** A turn of the others alone as long as what stands behind a pause, in parts of what it is cut to. */
const LONG = 12;

/** A hog in each of so many turns, one every ten milliseconds. */
function keepOn(rooms: ReturnType<typeof createTurnRooms>, fromMs: number, toMs: number, fullness: number) {
  for (let now = fromMs; now < toMs; now += 10) {
    rooms.hogCame(now);
    rooms.turned(fullness, now - 10, now);
  }
}

describe('the room of those beside a hog', () => {
  it('is there from its first call, within the turn with which the overload begins', () => {
    const rooms = createTurnRooms();
    expect(rooms.rooms.usual).toBe(FIXED_ROOMS.usual);
    // The turn that began the overload, long as it is.
    rooms.turned(LONG, 980, 990);
    rooms.hogCame(1_000);
    expect(rooms.rooms.usual).toBeGreaterThan(LONG);
    expect(rooms.rooms.light).toBeGreaterThan(LONG);
    rooms.turned(LONG, 1_000, 1_010);
    expect(rooms.rooms.usual).toBeGreaterThan(LONG);
  });

  it('is what it was once the hog has left', () => {
    const rooms = createTurnRooms();
    keepOn(rooms, 0, 200, LONG);
    rooms.turned(1, 449, 450);
    rooms.otherRefused(450);
    expect(rooms.rooms.usual).toBe(FIXED_ROOMS.usual);
    expect(rooms.rooms.light).toBe(FIXED_ROOMS.light);
    // Whoever was refused without one has not kept the next one's neighbours crowded.
    rooms.hogCame(600);
    expect(rooms.rooms.usual).toBeGreaterThan(LONG);
  });

  it('is small where they are too many themselves, as long as one of them is refused', () => {
    const rooms = createTurnRooms();
    keepOn(rooms, 0, 200, LONG);
    const { usual } = rooms.rooms;
    expect(usual).toBeGreaterThan(FIXED_ROOMS.usual);
    expect(usual).toBeLessThan(LONG);
    for (let now = 200; now < 2_000; now += 200) {
      rooms.otherRefused(now);
      keepOn(rooms, now, now + 200, usual);
      expect(rooms.rooms.usual).toBe(usual);
    }
    keepOn(rooms, 2_000, 2_200, 1);
    expect(rooms.rooms.usual).toBeGreaterThan(LONG);
  });

  it('is small too where each turn is longer than that takes to be known', () => {
    const rooms = createTurnRooms();
    for (let now = 0; now < 1_000; now += 120) {
      rooms.hogCame(now);
      rooms.turned(LONG, now, now + 119);
      rooms.otherRefused(now + 119);
    }
    expect(rooms.rooms.usual).toBeLessThan(LONG);
  });
});
