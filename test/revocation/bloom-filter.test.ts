import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attachFilter, createFilter } from '../../src/revocation/bloom-filter.ts';
import { nextMessage, startWorker } from '../support/typescript-worker.ts';

/** The n-th synthetic hash: pseudo-random, the same at each run. */
const hashAt = (n: number) => createHmac('sha256', 'synthetic').update(String(n)).digest().subarray(0, 16);

describe('parameters', () => {
  it('follow from capacity and rate', () => {
    const filter = createFilter({ capacity: 10_000_000, falsePositiveRate: 1e-6 });
    // The theory's 287,551,752 bits, in whole cache lines of 512.
    expect(filter.bits).toBe(512 * Math.ceil(287_551_752 / 512));
    expect(filter.hashes).toBe(20);
    expect(filter.memoryBytes).toBe(64 + filter.bits / 8);
  });

  it.each([
    [0, 0.1],
    [1.5, 0.1],
    [-1, 0.1],
    [Number.NaN, 0.1],
    [10, 0],
    [10, 1],
    [10, Number.NaN],
  ])('refuses capacity %d and rate %d', (capacity, falsePositiveRate) => {
    expect(() => createFilter({ capacity, falsePositiveRate })).toThrow(RangeError);
  });

  it('refuses to attach to what is no filter', () => {
    expect(() => attachFilter(new SharedArrayBuffer(128))).toThrow(RangeError);
  });
});

describe('membership', () => {
  it('starts empty', () => {
    const filter = createFilter({ capacity: 100, falsePositiveRate: 0.01 });
    expect(filter.mightContain(hashAt(1))).toBe(false);
    expect([filter.entries(), filter.fill(), filter.currentFalsePositiveRate()]).toEqual([0, 0, 0]);
  });

  it.each([
    ['all zero', Buffer.alloc(16)],
    ['all one', Buffer.alloc(16, 0xff)],
    ['step zero', Buffer.concat([Buffer.alloc(8, 0xff), Buffer.alloc(8)])],
    ['start zero', Buffer.concat([Buffer.alloc(8), Buffer.alloc(8, 0xff)])],
  ])('holds the edge hash: %s', (_, hash) => {
    for (const capacity of [1, 2, 3, 1_000, 1_000_003]) {
      const filter = createFilter({ capacity, falsePositiveRate: 1e-6 });
      filter.add(hash);
      expect(filter.mightContain(hash)).toBe(true);
    }
  });

  it('never denies what was added, also far beyond its capacity', () => {
    const hash = fc.uint8Array({ minLength: 16, maxLength: 16 });
    const hashes = fc.array(hash, { maxLength: 200 });
    fc.assert(
      fc.property(
        hashes,
        fc.integer({ min: 1, max: 300 }),
        fc.constantFrom(0.5, 0.01, 1e-9),
        (added, n, p) => {
          const filter = createFilter({ capacity: n, falsePositiveRate: p });
          const reader = attachFilter(filter.shared);
          for (const one of added) filter.add(one);
          for (const one of added) expect(reader.mightContain(one)).toBe(true);
        },
      ),
    );
  });

  it('sets the same bits before sharing as after', () => {
    const one = createFilter({ capacity: 500, falsePositiveRate: 1e-6 });
    const other = createFilter({ capacity: 500, falsePositiveRate: 1e-6 });
    for (let i = 0; i < 500; i++) {
      one.add(hashAt(i));
      other.addUnshared(hashAt(i));
    }
    expect(Buffer.from(other.shared).equals(Buffer.from(one.shared))).toBe(true);
    expect([other.entries(), other.fill()]).toEqual([one.entries(), one.fill()]);
  });

  it('counts bits and entries once', () => {
    const filter = createFilter({ capacity: 1_000, falsePositiveRate: 1e-6 });
    for (let i = 0; i < 3; i++) filter.add(hashAt(7));
    expect(filter.entries()).toBe(1);
    const counted = new Int32Array(filter.shared, 64).reduce((sum, word) => sum + popcount(word), 0);
    expect(filter.fill()).toBe(counted / filter.bits);
  });

  it.each([1e-3, 1e-4])('is wrong at most 1.5 times the target rate %d, filled to 200,000', (rate) => {
    const capacity = 200_000;
    const filter = createFilter({ capacity, falsePositiveRate: rate });
    for (let i = 0; i < capacity; i++) filter.add(hashAt(i));
    const probes = rate === 1e-3 ? 200_000 : 400_000;
    let wrong = 0;
    for (let i = 0; i < probes; i++) if (filter.mightContain(hashAt(capacity + i))) wrong++;
    expect(wrong / probes).toBeLessThanOrEqual(1.5 * rate);
    // k is a whole number, so the fill at capacity is a half only nearly.
    expect(filter.fill()).toBeCloseTo(0.5, 1);
    expect(filter.currentFalsePositiveRate()).toBeLessThanOrEqual(1.1 * rate);
  });
});

it('shows a worker what the main thread adds', async () => {
  const filter = createFilter({ capacity: 1_000, falsePositiveRate: 1e-6 });
  const signal = new Int32Array(new SharedArrayBuffer(8));
  const data = { filter: filter.shared, signal: signal.buffer, hash: hashAt(42) };
  const worker = startWorker('../revocation/filter-worker.ts', data);
  const answers = nextMessage(worker);
  while (Atomics.load(signal, 0) !== 1) await new Promise((resolve) => setTimeout(resolve, 1));
  filter.add(hashAt(42));
  Atomics.store(signal, 1, 1);
  Atomics.notify(signal, 1);
  expect(await answers).toEqual({ before: false, after: true, entries: 1 });
});

function popcount(word: number): number {
  let count = 0;
  for (let rest = word >>> 0; rest !== 0; rest &= rest - 1) count++;
  return count;
}
