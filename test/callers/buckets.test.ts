/** Token buckets: what they give, when they give again, and that all threads have the same one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBucketSides } from '../../src/callers/bucket-sides.ts';
import { allocateBuckets, openBuckets } from '../../src/callers/buckets.ts';
import type { BucketSide, KnownCaller } from '../../src/callers/caller-index.ts';

function callerWith(perSecond: number, burst: number, place = 0, side: BucketSide = 0): KnownCaller {
  const costNs = Math.round(1e9 / perSecond);
  return { name: 'alpha', place, scopes: new Set(), bucket: { costNs, depthNs: costNs * burst, side } };
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

  it('owes at most what can be counted, whatever comes of it, and never seems full by it', () => {
    const slowest = callerWith(0.001, 1);
    const { take, correct } = buckets();
    for (let i = 0; i < 20; i++) correct(slowest, 1_000_000, 1_000);
    for (const nowMs of [1_000, 1e12]) {
      expect(take(slowest, 1, nowMs)).toBeGreaterThan(1e12);
      correct(slowest, 1, nowMs);
    }
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

describe('a quota with another rate', () => {
  const rig = () => {
    const shared = allocateBuckets(4);
    let nowMs = 1_000;
    const sides = createBucketSides(shared, 3, () => nowMs);
    const { take, correct } = openBuckets(shared);
    /** The caller as a list with this quota has it. */
    const listed = (perSecond: number, place = 0) =>
      callerWith(perSecond, 10_000, place, sides.sideOf(place, { perSecond, burst: 10_000 }));
    return { sides, take, correct, listed, goTo: (ms: number) => (nowMs = ms) };
  };

  it('that is raised lets what is owed come back as fast as it says', () => {
    const { take, listed } = rig();
    expect(take(listed(1), 10_000, 1_000)).toBe(0);
    const raised = listed(500);
    expect(take(raised, 500, 1_000)).toBe(1_000);
    expect(take(raised, 500, 2_000)).toBe(0);
  });

  it('that is lowered leaves as many credentials owed, which come back more slowly', () => {
    const { take, listed } = rig();
    expect(take(listed(500), 10_000, 1_000)).toBe(0);
    expect(take(listed(1), 1, 1_000)).toBe(1_000);
  });

  it('is not mixed with what still goes by the one before', () => {
    const { take, correct, listed } = rig();
    const before = listed(1);
    expect(take(before, 4_000, 1_000)).toBe(0);
    const raised = listed(500);
    expect(take(before, 5_000, 1_000)).toBe(0);
    correct(before, 1_000, 1_000);
    expect(take(raised, 6_000, 1_000)).toBe(0);
    expect(take(raised, 1, 1_000)).toBe(2);
  });

  it('is the same bucket as long as the rate is the same, and when a quota comes back', () => {
    const { sides, take, listed, goTo } = rig();
    expect(take(listed(500), 10_000, 1_000)).toBe(0);
    expect(sides.sideOf(0, undefined)).toBe(0);
    expect(take(listed(500), 1, 1_000)).toBe(2);
    goTo(11_000);
    // Half of it came back; nothing of before is left in the other bucket, though it was used twice.
    for (const perSecond of [1, 500, 1, 500]) listed(perSecond);
    expect(take(listed(500), 5_000, 11_000)).toBe(0);
    expect(take(listed(500), 1, 11_000)).toBe(2);
  });

  it('moves nothing at the place that many share', () => {
    const { sides } = rig();
    for (const perSecond of [1, 500, 1]) expect(sides.sideOf(3, { perSecond, burst: 10_000 })).toBe(0);
  });
});
