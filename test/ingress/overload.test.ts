import { describe, expect, it } from 'vitest';
import { CALM_MS, createOverload, REMEMBERED_MS, STANDING_MS } from '../../src/ingress/admission/overload.ts';

function watched() {
  const changes: boolean[] = [];
  return { overload: createOverload((isOn) => changes.push(isOn)), changes };
}

describe('an overload', () => {
  it('begins when the queue was long for a while without a break', () => {
    const { overload, changes } = watched();
    for (let now = 0; now < STANDING_MS; now += 10) overload.long(now, now);
    expect(overload.isOn).toBe(false);
    overload.long(STANDING_MS, STANDING_MS);
    expect(overload.isOn).toBe(true);
    expect(changes).toEqual([true]);
  });

  it('does not begin when the queue was short in between, seen or not', () => {
    const { overload } = watched();
    for (let now = 0; now < 1_000; now += 10) {
      overload.long(now, now);
      if (now % 50 === 0) overload.short();
    }
    expect(overload.isOn).toBe(false);
    // Two bursts an hour apart are no queue of an hour.
    overload.short();
    overload.long(2_000, 2_000);
    overload.long(3_602_000, 3_602_000);
    expect(overload.isOn).toBe(false);
    // One right behind the other, each longer than the while.
    overload.long(3_604_000, 3_602_001);
    expect(overload.isOn).toBe(true);
  });

  it('lasts while something is shed, and ends when nothing was for a while', () => {
    const { overload, changes } = watched();
    for (let now = 0; now <= STANDING_MS; now += 10) overload.long(now, now);
    overload.shed(500);
    overload.short();
    overload.check(500 + CALM_MS, false);
    expect(overload.isOn).toBe(true);
    overload.check(500 + CALM_MS + 1, false);
    expect(overload.isOn).toBe(false);
    expect(changes).toEqual([true, false]);
  });

  it('is back sooner while the last one is remembered, and no longer', () => {
    const againMs = 10;
    const overload = createOverload(() => {}, againMs);
    for (let now = 0; now <= STANDING_MS; now += 10) overload.long(now, now);
    overload.check(100, true);
    overload.long(150, 150);
    overload.long(150 + againMs - 1, 150);
    expect(overload.isOn).toBe(false);
    overload.long(150 + againMs, 150);
    expect(overload.isOn).toBe(true);
    overload.check(200, true);
    const later = 200 + REMEMBERED_MS;
    overload.short();
    overload.long(later, later);
    overload.long(later + STANDING_MS - 1, later);
    expect(overload.isOn).toBe(false);
    overload.long(later + STANDING_MS, later);
    expect(overload.isOn).toBe(true);
  });

  it('ends at once when other signs say so, though a burst was just shed', () => {
    const { overload } = watched();
    for (let now = 0; now <= STANDING_MS; now += 10) overload.long(now, now);
    overload.shed(100);
    overload.check(101, false);
    expect(overload.isOn).toBe(true);
    overload.check(101, true);
    expect(overload.isOn).toBe(false);
  });
});
