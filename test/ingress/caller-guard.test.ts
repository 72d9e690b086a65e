/** Who calls and what that may: what a thread remembers of keys, and what it takes for a batch. */
import { describe, expect, it } from 'vitest';
import { hashAccessKey, makeAccessKey } from '../../src/callers/access-key.ts';
import { allocateBuckets, openBuckets } from '../../src/callers/buckets.ts';
import { buildCallerIndex, type CallerIndex, type PlacedCaller } from '../../src/callers/caller-index.ts';
import { createCallerGuard } from '../../src/ingress/caller-guard.ts';

const HASH_KEY = Buffer.alloc(32, 7);
const NOW_MS = 1_780_272_000_000;

function listed(name: string, place: number, accessKey: string, expiresAt?: number): PlacedCaller {
  const hash = hashAccessKey(HASH_KEY, accessKey).toString('base64url');
  const quota = { perSecond: 0.01, burst: 10_000 };
  return { name, place, side: 0, scopes: ['verify', 'batch'], quota, keys: [{ hash, expiresAt }] };
}

function rig(callers: readonly PlacedCaller[]) {
  let wallMs = NOW_MS;
  let looked = 0;
  const refused: string[] = [];
  const counting = (list: readonly PlacedCaller[]): CallerIndex => {
    const index = buildCallerIndex(list, HASH_KEY);
    return {
      identify: (authorization, nowMs) => {
        looked++;
        return index.identify(authorization, nowMs);
      },
    };
  };
  const guard = createCallerGuard({
    clock: { monotonicMs: () => 1_000, wallMs: () => wallMs },
    buckets: openBuckets(allocateBuckets(8)),
    index: counting(callers),
    onRefused: (why, caller) => refused.push(`${why} ${caller?.name ?? 'nobody'}`),
    onServed: () => {},
  });
  const judge = (authorization: string | undefined, contentLength = 100) =>
    guard.judge({ authorization, contentLength }, 'verify', 'single');
  return {
    guard,
    judge,
    who: (authorization: string | undefined) => {
      const judged = judge(authorization);
      return judged.ok ? judged.caller.name : judged.why;
    },
    change: (list: readonly PlacedCaller[]) => guard.setIndex(counting(list)),
    goTo: (ms: number) => {
      wallMs = ms;
    },
    looked: () => looked,
    refused,
  };
}

const [one, other] = [makeAccessKey(), makeAccessKey()];

describe('a key', () => {
  it('that is in force is looked up once', () => {
    const { who, looked } = rig([listed('alpha', 0, one), listed('beta', 1, other)]);
    for (let i = 0; i < 5; i++)
      expect([who(`Bearer ${one}`), who(`Bearer ${other}`)]).toEqual(['alpha', 'beta']);
    expect(looked()).toBe(2);
  });

  it('is none any more from its end on, though it is remembered', () => {
    const { who, goTo, refused } = rig([listed('alpha', 0, one, NOW_MS / 1000 + 60)]);
    expect(who(`Bearer ${one}`)).toBe('alpha');
    goTo(NOW_MS + 59_999);
    expect(who(`Bearer ${one}`)).toBe('alpha');
    goTo(NOW_MS + 60_000);
    expect(who(`Bearer ${one}`)).toBe('expired');
    expect(refused).toEqual(['expired nobody']);
  });

  it('that a new list leaves out is forgotten, and one that it gives another caller is that one’s', () => {
    const { who, change } = rig([listed('alpha', 0, one), listed('beta', 1, other)]);
    expect([who(`Bearer ${one}`), who(`Bearer ${other}`)]).toEqual(['alpha', 'beta']);
    change([listed('gamma', 2, other)]);
    expect([who(`Bearer ${one}`), who(`Bearer ${other}`)]).toEqual(['unknown', 'gamma']);
  });

  it('that differs from a remembered one anywhere is another, and guesses are looked up each time', () => {
    const { who, looked } = rig([listed('alpha', 0, one)]);
    const sent = `Bearer ${one}`;
    expect(who(sent)).toBe('alpha');
    for (let at = 'Bearer '.length; at < sent.length; at++) {
      const wrong = sent.slice(0, at) + (sent[at] === 'A' ? 'B' : 'A') + sent.slice(at + 1);
      expect(who(wrong)).toBe('unknown');
    }
    expect([who(`${sent}A`), who(sent.slice(0, -1)), who(undefined)]).toEqual([
      'unknown',
      'unknown',
      'missing',
    ]);
    expect(looked()).toBe(sent.length - 'Bearer '.length + 4);
    expect(who(sent)).toBe('alpha');
  });

  it('of which the scheme is spelt otherwise is the same caller’s', () => {
    const { who } = rig([listed('alpha', 0, one)]);
    for (const scheme of ['Bearer ', 'bearer ', 'BEARER  ']) expect(who(scheme + one)).toBe('alpha');
  });
});

describe('a batch', () => {
  const batchOf = (place: number) => {
    const key = makeAccessKey();
    const { guard, refused } = rig([listed('alpha', place, key)]);
    const ask = (contentLength: number) =>
      guard.judge({ authorization: `Bearer ${key}`, contentLength }, 'batch', 'batch');
    return { guard, ask, refused };
  };

  it('is charged by what the caller’s own batches were', () => {
    const { guard, ask } = batchOf(0);
    const first = ask(20_000);
    if (!first.ok) throw new Error('refused');
    expect(first.charged).toBe(10);
    guard.served(first.caller, { charged: 10, credentials: 50, batchBytes: 20_000 });
    const second = ask(40_000);
    expect(second.ok && second.charged).toBe(100);
  });

  it('that was not read to its end says nothing of the next', () => {
    const { guard, ask } = batchOf(0);
    const first = ask(20_000);
    if (!first.ok) throw new Error('refused');
    guard.served(first.caller, { charged: 10, credentials: 9_000, batchBytes: undefined });
    const second = ask(20_000);
    expect(second.ok && second.charged).toBe(10);
  });

  it('whose items are huge, or white space, lets the next ones seem no larger than a credential with its proof', () => {
    const { guard, ask } = batchOf(0);
    for (let i = 0; i < 20; i++) {
      const judged = ask(16_000_000);
      if (!judged.ok) throw new Error('refused');
      expect(judged.charged).toBe(8_000);
      guard.served(judged.caller, { charged: judged.charged, credentials: 1, batchBytes: 16_000_000 });
    }
  });

  it('gets what it holds beyond its estimate while the bucket has it, and learns when all of it could be had', () => {
    const { guard, ask, refused } = batchOf(0);
    const judged = ask(20_000);
    if (!judged.ok) throw new Error('refused');
    const { caller, charged } = judged;
    expect(guard.spend(caller, charged, 9_000)).toBe(0);
    // 1,000 are left, of 3,000; it comes back with 12,000, more than a full bucket has.
    expect(guard.spend(caller, 9_000, 12_000)).toBe(1_000_000_000);
    expect(refused).toEqual(['quota alpha']);
    expect(guard.spend(caller, 9_000, 10_000)).toBe(0);
    guard.served(caller, { charged: 10_000, credentials: 9_000, batchBytes: 20_000 });
    expect(guard.spend(caller, 0, 1_000)).toBe(0);
    expect(guard.spend(caller, 0, 1)).toBe(100_000);
  });

  it('that was shed after all costs nothing', () => {
    const { guard, ask } = batchOf(0);
    for (let i = 0; i < 100; i++) {
      const judged = ask(8_000_000);
      if (!judged.ok) throw new Error('refused');
      expect(judged.charged).toBe(4_000);
      guard.giveBack(judged.caller, judged.charged);
    }
  });

  it('is charged one at least and as many as a batch may have at most; one too large for any, one', () => {
    const { ask } = batchOf(0);
    for (const [bytes, charged] of [
      [0, 1],
      [16 * 1024 * 1024 + 1, 1],
      [16 * 1024 * 1024, 8_389],
    ] as const) {
      const judged = ask(bytes);
      expect(judged.ok && judged.charged).toBe(charged);
    }
  });
});
