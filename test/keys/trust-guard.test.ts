import { describe, expect, test } from 'vitest';
import { compareWithPrevious } from '../../src/keys/trust-guard.ts';
import { parseTrustList } from '../../src/keys/trust-list-schema.ts';
import type { TrustList } from '../../src/keys/trusted-key.ts';
import { bytes, document, ISS, jwk, keyPair } from './trust-fixtures.ts';

function list(value: unknown): TrustList {
  const parsed = parseTrustList(bytes(value));
  if (!parsed.ok) throw new Error(parsed.fault);
  return parsed.list;
}

function compare(previous: unknown, candidate: unknown, allowShrink = false) {
  return compareWithPrevious(list(previous), list(candidate), { allowShrink });
}

function issuers(version: number, names: string[]) {
  return { version, issuers: names.map((iss) => ({ iss, keys: [jwk('a')] })) };
}

test('the first list is new', () => {
  expect(compareWithPrevious(undefined, list(document(1)), { allowShrink: false })).toEqual({
    ok: true,
    change: 'new',
  });
});

describe('version', () => {
  test('higher is new, the same list again is unchanged', () => {
    expect(compare(document(7), document(8))).toEqual({ ok: true, change: 'new' });
    expect(compare(document(7), document(7))).toEqual({ ok: true, change: 'unchanged' });
  });

  test('the order of issuers, keys, audiences and spelled-out defaults say nothing', () => {
    const a = { iss: 'a', keys: [jwk('1'), jwk('2')], audiences: ['p', 'q'], typ: ['s', 't'] };
    const b = { iss: 'b', keys: [jwk('1')] };
    const turned = {
      ...a,
      keys: [jwk('2'), jwk('1')],
      audiences: ['q', 'p'],
      typ: ['t', 's'],
      rights: 'ignore',
    };
    expect(compare({ version: 1, issuers: [a, b] }, { version: 1, issuers: [b, turned] })).toEqual({
      ok: true,
      change: 'unchanged',
    });
  });

  test.each([true, false])('lower is refused, allowShrink %s', (allowShrink) => {
    expect(compare(document(7), document(6), allowShrink)).toEqual({
      ok: false,
      reason: 'version_not_higher',
      fault: 'version 6 after 7',
    });
  });

  test.each([
    ['another key', document(7, ['b'])],
    ['one key more', document(7, ['a', 'b'])],
    ['other bytes', { version: 7, issuers: [{ iss: ISS, keys: [jwk('a', { x: keyPair('b').x })] }] }],
    ['another date', { version: 7, issuers: [{ iss: ISS, keys: [jwk('a', { exp: 1 })] }] }],
    [
      'a date moved to the other member',
      { version: 7, issuers: [{ iss: ISS, keys: [jwk('a', { nbf: 1 })] }] },
    ],
    ['another policy', { version: 7, issuers: [{ iss: ISS, keys: [jwk('a')], holderProof: 'optional' }] }],
    ['another type', { version: 7, issuers: [{ iss: ISS, keys: [jwk('a')], typ: ['x'] }] }],
    ['another audience', { version: 7, issuers: [{ iss: ISS, keys: [jwk('a')], audiences: ['x'] }] }],
  ])('the same with %s is refused', (_, candidate) => {
    expect(compare(document(7), candidate, true)).toEqual({
      ok: false,
      reason: 'version_not_higher',
      fault: 'version 7 again, with other content',
    });
  });
});

describe('shrinking', () => {
  test('exactly half of the issuers may stay, fewer may not', () => {
    expect(compare(issuers(1, ['a', 'b', 'c', 'd']), issuers(2, ['a', 'b'])).ok).toBe(true);
    expect(compare(issuers(1, ['a', 'b', 'c']), issuers(2, ['a']))).toMatchObject({
      reason: 'shrunk',
      fault: '1 of 3 issuers remain',
    });
  });

  test('new issuers do not make up for lost ones', () => {
    expect(compare(issuers(1, ['a', 'b', 'c']), issuers(2, ['a', 'x', 'y', 'z']))).toMatchObject({
      reason: 'shrunk',
    });
  });

  test('exactly half of the keys may stay, fewer may not', () => {
    expect(compare(document(1, ['a', 'b', 'c', 'd']), document(2, ['a', 'b'])).ok).toBe(true);
    expect(compare(document(1, ['a', 'b', 'c']), document(2, ['a', 'x', 'y']))).toMatchObject({
      reason: 'shrunk',
      fault: '1 of 3 keys remain',
    });
  });

  test('a kid that names other bytes is another key', () => {
    const renewed = { version: 2, issuers: [{ iss: ISS, keys: [jwk('a', { x: keyPair('b').x })] }] };
    expect(compare(document(1), renewed)).toMatchObject({ reason: 'shrunk', fault: '0 of 1 keys remain' });
  });

  test('the operator may vouch for it', () => {
    expect(compare(issuers(1, ['a', 'b', 'c']), issuers(2, ['x']), true)).toEqual({
      ok: true,
      change: 'new',
    });
  });
});
