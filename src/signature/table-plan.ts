/**
 * How wide the tables of prepared keys are made: wider is faster and larger (0.4 MB a key at 8 bits, 2.2 MB at
 * 11), and past the processor's caches a larger table is slower again.
 */

/** Up to so many keys the widest window that pays; measured, see bench/README.md. */
const WINDOW_BY_KEYS = [
  { keys: 8, windowBits: 11 },
  { keys: 64, windowBits: 10 },
  { keys: 512, windowBits: 8 },
] as const;
const MANY_KEYS_WINDOW_BITS = 6;

export interface TablePlan {
  readonly windowBits: number;
  /** How many of the keys fit; the others are verified without a table, with the same verdicts. */
  readonly keys: number;
}

/** One window for all keys, so that the bound is kept whatever their order. */
export function planTables(
  keys: number,
  maxBytes: number,
  { bytesOf, minWindowBits }: { bytesOf(windowBits: number): number; readonly minWindowBits: number },
): TablePlan {
  const widest = WINDOW_BY_KEYS.find((row) => keys <= row.keys)?.windowBits ?? MANY_KEYS_WINDOW_BITS;
  for (let windowBits: number = widest; windowBits > minWindowBits; windowBits--) {
    if (keys * bytesOf(windowBits) <= maxBytes) return { windowBits, keys };
  }
  return { windowBits: minWindowBits, keys: Math.min(keys, Math.floor(maxBytes / bytesOf(minWindowBits))) };
}
