/** Token buckets: what they give, when they give again, and that all threads have the same one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocateBuckets, openBuckets } from '../../src/callers/buckets.ts';
import type { KnownCaller } from '../../src/callers/caller-index.ts';

function callerWith(perSecond: number, burst: number, place = 0): KnownCaller {
  const costNs = Math.round(1e9 / perSecond);
  return { name: 'alpha', place, scopes: new Set(), bucket: { costNs, depthNs: costNs * burst } };
}

const buckets = () => openBuckets(allocateBuckets(4));

describe('a bucket', () => {
  it('gives its burst at once, then as many as its rate', () => {
    const caller = callerWith(100, 50);
    const { take } = buckets();
    for (let i = 0; i < 50; i++) expect(take(caller, 1, 1_000)).toBe(0);
    expect(take(caller, 1, 1_000)).toBe(10);
    expect(take(caller, 1, 1_009)).toBe(1);
    expect(take(caller, 1, 1_010)).toBe(0);
    expect(take(caller, 1, 1_010)).toBe(10);
    // Full again, and no fuller.
    for (let i = 0; i < 50; i++) expect(take(caller, 1, 100_000)).toBe(0);
    expect(take(caller, 1, 100_000)).toBe(10);
  });

  it('takes nothing for what it refuses', () => {
    const caller = callerWith(10, 10);
    const { take } = buckets();
    expect(take(caller, 8, 0)).toBe(0);
    expect(take(caller, 5, 0)).toBe(300);
    expect(take(caller, 2, 0)).toBe(0);
  });

  it('lets in what is larger than itself when it is full, and owes it', () => {
    const caller = callerWith(10, 10);
    const { take } = buckets();
    expect(take(caller, 30, 5)).toBe(0);
    expect(take(caller, 1, 5)).toBe(2_100);
    expect(take(caller, 30, 5)).toBe(3_000);
    expect(take(caller, 30, 3_005)).toBe(0);
  });

  it('is corrected when more or less came of it', () => {
    const caller = callerWith(10, 10);
    const { take, correct } = buckets();
    expect(take(caller, 10, 0)).toBe(0);
    correct(caller, -4, 0);
    expect(take(caller, 4, 0)).toBe(0);
    correct(caller, 5, 0);
    expect(take(caller, 1, 0)).toBe(600);
    // Whoever was idle for an hour owes from now on.
    correct(caller, 10, 3_600_000);
    expect(take(caller, 1, 3_600_000)).toBe(100);
  });

  it('is its caller’s own, and the same for whoever opens it', () => {
    const shared = allocateBuckets(4);
    const [one, other] = [openBuckets(shared), openBuckets(shared)];
    expect(one.take(callerWith(1, 5, 1), 5, 0)).toBe(0);
    expect(other.take(callerWith(1, 5, 1), 1, 0)).toBeGreaterThan(0);
    expect(other.take(callerWith(1, 5, 2), 5, 0)).toBe(0);
  });

  it('of a caller without a quota gives everything', () => {
    const free: KnownCaller = { name: 'free', place: 3, scopes: new Set(), bucket: undefined };
    const { take, correct } = buckets();
    for (let i = 0; i < 1_000; i++) expect(take(free, 10_000, 0)).toBe(0);
    correct(free, 1e9, 0);
    expect(take(free, 1, 0)).toBe(0);
  });

  it('never gives more than its burst and its rate together, whatever is asked when', () => {
    const asks = fc.array(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 0, max: 500 })), {
      maxLength: 200,
    });
    fc.assert(
      fc.property(asks, (rows) => {
        const caller = callerWith(100, 20);
        const { take } = buckets();
        let nowMs = 0;
        let given = 0;
        for (const [credentials, laterMs] of rows) {
          nowMs += laterMs;
          const waitMs = take(caller, credentials, nowMs);
          if (waitMs === 0) given += credentials;
          // What is said of the wait holds, if nobody else comes.
          else if (waitMs > 0 && take(caller, credentials, nowMs + waitMs) === 0) {
            nowMs += waitMs;
            given += credentials;
          } else throw new Error('refused again after the wait that was named');
        }
        expect(given).toBeLessThanOrEqual(20 + 0.1 * nowMs + 1e-6);
      }),
    );
  });
});
