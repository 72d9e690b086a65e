/**
 * How far the process still trusts its engines, in one cell that all threads share: the disagreement that one
 * thread sees steps every thread down at its next call. It never rises again: a new start does that.
 */

/** By falling speed and rising trust; each names what may still be used. */
export const ENGINE_LEVELS = ['ifma', 'portable', 'reference'] as const;
export type EngineLevelName = (typeof ENGINE_LEVELS)[number];

export interface EngineLevel {
  readonly shared: SharedArrayBuffer;
  /** Index in ENGINE_LEVELS of the fastest level still trusted. */
  current(): number;
  /** Everything up to this level, itself included, is trusted no more. */
  distrust(level: number): void;
}

/** A cell of zero: everything is trusted. */
export function allocateEngineLevel(): SharedArrayBuffer {
  return new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
}

export function openEngineLevel(shared: SharedArrayBuffer): EngineLevel {
  const cell = new Int32Array(shared);
  return {
    shared,
    current: () => Atomics.load(cell, 0),
    distrust(level) {
      // Two threads may step down at once, from different levels: the lower one stands.
      for (let seen = Atomics.load(cell, 0); seen <= level; ) {
        const before = Atomics.compareExchange(cell, 0, seen, level + 1);
        if (before === seen) return;
        seen = before;
      }
    },
  };
}
