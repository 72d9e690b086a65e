import { describe, expect, it } from 'vitest';
import { planTables } from '../../src/signature/table-plan.ts';

/** As the kernel's: doubled with each bit, a little less than exactly. */
const sizes = { bytesOf: (windowBits: number) => 1_000 * 2 ** windowBits, minWindowBits: 4 };

describe('the window', () => {
  it('narrows as keys become more', () => {
    const windows = [1, 8, 9, 64, 65, 512, 513, 10_000].map(
      (keys) => planTables(keys, Number.MAX_SAFE_INTEGER, sizes).windowBits,
    );
    expect(windows).toEqual([...windows].sort((a, b) => b - a));
    expect(windows[0]).toBe(11);
  });

  it('narrows until all keys fit the bound', () => {
    for (const maxBytes of [16_000, 100_000, 2_500_000, 70_000_000]) {
      for (const keys of [1, 2, 5, 50, 500]) {
        const plan = planTables(keys, maxBytes, sizes);
        expect(plan.keys * sizes.bytesOf(plan.windowBits)).toBeLessThanOrEqual(maxBytes);
        // Keys are left out at the narrowest window alone.
        if (plan.keys < keys) expect(plan.windowBits).toBe(sizes.minWindowBits);
      }
    }
  });

  it('holds as many keys as fit when not all do', () => {
    expect(planTables(100, 5 * 16_000 + 1, sizes)).toEqual({ windowBits: 4, keys: 5 });
    expect(planTables(3, 100, sizes)).toEqual({ windowBits: 4, keys: 0 });
    expect(planTables(0, 100_000, sizes).keys).toBe(0);
  });
});
