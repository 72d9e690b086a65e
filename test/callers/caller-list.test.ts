/** The file of callers: taken whole or refused whole, with a fault that repeats nothing of it. */
import { describe, expect, it } from 'vitest';
import {
  addCaller,
  removeCaller,
  renderCallerList,
  retireOldKeys,
  rotateKey,
} from '../../src/callers/caller-changes.ts';
import { ADMIN_SCOPES, DATA_SCOPES, parseCallerList } from '../../src/callers/caller-list.ts';

const BOUNDS = { callers: 3, batchItems: 10_000 };
const hash = (byte: number): string => Buffer.alloc(32, byte).toString('base64url');
const caller = (more: object = {}) => ({
  name: 'alpha',
  scopes: ['verify'],
  keys: [{ hash: hash(1) }],
  ...more,
});
const parse = (document: unknown, scopes: typeof DATA_SCOPES | typeof ADMIN_SCOPES = DATA_SCOPES) =>
  parseCallerList(
    Buffer.from(typeof document === 'string' ? document : JSON.stringify(document)),
    scopes,
    BOUNDS,
  );

describe('a list of callers', () => {
  it('is read as it stands', () => {
    const quota = { perSecond: 0.5, burst: 1 };
    const keys = [{ hash: hash(1), expiresAt: 1_800_000_000 }, { hash: hash(2) }];
    expect(parse({ callers: [caller({ quota, keys })] })).toEqual({
      ok: true,
      callers: [
        {
          name: 'alpha',
          scopes: ['verify'],
          quota,
          keys: [
            { hash: hash(1), expiresAt: 1_800_000_000 },
            { hash: hash(2), expiresAt: undefined },
          ],
        },
      ],
    });
  });

  it('may name nobody, and callers whose keys are all gone', () => {
    expect(parse({ callers: [] })).toEqual({ ok: true, callers: [] });
    expect(parse({ callers: [caller({ keys: [] })] }).ok).toBe(true);
  });

  it.each<[string, unknown, string]>([
    ['no JSON', '{', 'not JSON'],
    ['a name twice in one object', '{"callers":[],"callers":[]}', 'duplicate'],
    ['an unknown member', { callers: [], more: 1 }, 'the file has an unknown member'],
    ['no callers', {}, 'callers is not as described'],
    [
      'too many',
      { callers: ['a', 'b', 'c', 'd'].map((name) => caller({ name, keys: [] })) },
      'callers is not as described',
    ],
    [
      'a name with a capital',
      { callers: [caller({ name: 'Alpha' })] },
      'callers[0].name is not as described',
    ],
    ['a name that is too long', { callers: [caller({ name: 'a'.repeat(64) })] }, 'callers[0].name'],
    [
      'the name of those who share a place',
      { callers: [caller({ name: 'other' })] },
      'callers[0] has a name that stands for others',
    ],
    ['a name twice', { callers: [caller(), caller({ keys: [] })] }, 'callers[1].name stands there twice'],
    [
      'a key twice',
      { callers: [caller(), caller({ name: 'beta' })] },
      'callers[1] has a key that stands there twice',
    ],
    [
      'three keys',
      { callers: [caller({ keys: [1, 2, 3].map((n) => ({ hash: hash(n) })) })] },
      'callers[0].keys',
    ],
    ['no scope', { callers: [caller({ scopes: [] })] }, 'callers[0].scopes is not as described'],
    ['a scope of the other listener', { callers: [caller({ scopes: ['status'] })] }, 'callers[0].scopes[0]'],
    [
      'a hash that is too short',
      { callers: [caller({ keys: [{ hash: 'AAAA' }] })] },
      'callers[0].keys[0].hash is not the hash of a key',
    ],
    [
      'a hash with padding',
      { callers: [caller({ keys: [{ hash: `${hash(1)}=` }] })] },
      'callers[0].keys[0].hash',
    ],
    [
      'an end that is no number',
      { callers: [caller({ keys: [{ hash: hash(1), expiresAt: 'never' }] })] },
      'callers[0].keys[0].expiresAt',
    ],
    [
      'a quota of nothing',
      { callers: [caller({ quota: { perSecond: 0, burst: 1 } })] },
      'callers[0].quota.perSecond',
    ],
    [
      'a bucket in which no batch has room',
      { callers: [caller({ scopes: ['batch'], quota: { perSecond: 1, burst: 9_999 } })] },
      'callers[0] has a burst that is smaller than a batch',
    ],
    [
      'a bucket that takes longer to fill than can be counted',
      { callers: [caller({ quota: { perSecond: 0.001, burst: 1_000_001 } })] },
      'callers[0].quota has a burst that takes more than 1000000000 s to come back',
    ],
  ])('is refused with %s', (_, document, fault) => {
    const result = parse(document);
    expect(result.ok).toBe(false);
    expect(result.ok ? '' : result.fault).toContain(fault);
  });

  it('of the admin listener has scopes of its own', () => {
    expect(parse({ callers: [caller({ scopes: ['status', 'trust', 'read'] })] }, ADMIN_SCOPES).ok).toBe(true);
    expect(parse({ callers: [caller()] }, ADMIN_SCOPES).ok).toBe(false);
    const limited = caller({ scopes: ['read'], quota: { perSecond: 1, burst: 1 } });
    const result = parse({ callers: [limited] }, ADMIN_SCOPES);
    expect(result.ok ? '' : result.fault).toContain('callers[0] has a quota');
  });
});

describe('changes of a list', () => {
  const key = (byte: number) => ({ hash: hash(byte), expiresAt: undefined });
  const start = addCaller([], 'alpha', ['verify'], undefined, key(1));
  const callers = start.ok ? start.callers : [];

  it('add a caller, and read back as they were written', () => {
    expect(parse(renderCallerList(callers))).toEqual({ ok: true, callers });
    expect(addCaller(callers, 'alpha', ['verify'], undefined, key(2)).ok).toBe(false);
    expect(addCaller(callers, 'Not A Name', ['verify'], undefined, key(2)).ok).toBe(false);
  });

  it('turn keys over: two are in force, then the last alone', () => {
    const two = rotateKey(callers, 'alpha', key(2));
    const three = rotateKey(two.ok ? two.callers : [], 'alpha', key(3));
    const hashes = (list: typeof two) => (list.ok ? list.callers[0]?.keys.map((one) => one.hash) : []);
    expect(hashes(two)).toEqual([hash(1), hash(2)]);
    expect(hashes(three)).toEqual([hash(2), hash(3)]);
    expect(hashes(retireOldKeys(three.ok ? three.callers : [], 'alpha'))).toEqual([hash(3)]);
    expect(rotateKey(callers, 'beta', key(2)).ok).toBe(false);
  });

  it('take a caller out', () => {
    expect(removeCaller(callers, 'alpha')).toEqual({ ok: true, callers: [] });
    expect(removeCaller(callers, 'beta').ok).toBe(false);
  });
});
