/** Whose key it is, by the hashes that a file holds. */
import { describe, expect, it } from 'vitest';
import { hashAccessKey, makeAccessKey } from '../../src/callers/access-key.ts';
import { buildCallerIndex, type PlacedCaller } from '../../src/callers/caller-index.ts';
import { createCallerPlaces, SHARED_NAME } from '../../src/callers/caller-places.ts';

const HASH_KEY = Buffer.alloc(32, 7);
const NOW_MS = 1_780_272_000_000;

function listed(
  name: string,
  place: number,
  keys: readonly [accessKey: string, expiresAt?: number][],
): PlacedCaller {
  return {
    name,
    place,
    side: 0,
    scopes: ['verify'],
    quota: { perSecond: 100, burst: 50 },
    keys: keys.map(([accessKey, expiresAt]) => ({
      hash: hashAccessKey(HASH_KEY, accessKey).toString('base64url'),
      expiresAt,
    })),
  };
}

const [first, second, ended] = [makeAccessKey(), makeAccessKey(), makeAccessKey()];
const index = buildCallerIndex(
  [listed('alpha', 0, [[first], [second]]), listed('beta', 1, [[ended, NOW_MS / 1000]])],
  HASH_KEY,
);
const why = (authorization: string | undefined, wallMs = NOW_MS): string => {
  const found = index.identify(authorization, wallMs);
  return found.ok ? found.caller.name : found.why;
};

describe('a caller', () => {
  it('is known by either of its keys', () => {
    expect(why(`Bearer ${first}`)).toBe('alpha');
    expect(why(`bearer  ${second}`)).toBe('alpha');
    const found = index.identify(`Bearer ${first}`, NOW_MS);
    expect(found.ok && found.caller.bucket).toEqual({ costNs: 10_000_000, depthNs: 500_000_000, side: 0 });
  });

  it('is none any more from the instant at which its key ends', () => {
    expect(why(`Bearer ${ended}`, NOW_MS - 1)).toBe('beta');
    expect(why(`Bearer ${ended}`, NOW_MS)).toBe('expired');
  });

  it.each<[string | undefined, string]>([
    [undefined, 'missing'],
    ['', 'missing'],
    ['Bearer', 'missing'],
    [`Basic ${first}`, 'missing'],
    [`Bearer ${first} ${second}`, 'missing'],
    ['Bearer alpha', 'unknown'],
    [`Bearer ${makeAccessKey()}`, 'unknown'],
    [`Bearer ${first.toLowerCase()}`, 'unknown'],
  ])('is not known by %s', (authorization, expected) => {
    expect(why(authorization)).toBe(expected);
  });

  it('of another deployment is unknown, by the same key', () => {
    const elsewhere = buildCallerIndex([listed('alpha', 0, [[first]])], Buffer.alloc(32, 8));
    expect(elsewhere.identify(`Bearer ${first}`, NOW_MS)).toEqual({ ok: false, why: 'unknown' });
  });
});

describe('places', () => {
  it('are kept by name, and the last is shared when no other is left', () => {
    const places = createCallerPlaces(3);
    expect(['a', 'b', 'a', 'c', 'd', 'b'].map(places.placeOf)).toEqual([0, 1, 0, 2, 2, 1]);
    expect(places.names()).toEqual([
      [0, 'a'],
      [1, 'b'],
      [2, SHARED_NAME],
    ]);
  });
});
