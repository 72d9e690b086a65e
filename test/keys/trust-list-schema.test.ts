import { describe, expect, test } from 'vitest';
import { MAX_TRUSTED_KEYS, parseTrustList } from '../../src/keys/trust-list-schema.ts';
import { bytes, document, ISS, jwk, keyPair } from './trust-fixtures.ts';

function parse(value: unknown) {
  return parseTrustList(bytes(value));
}

function withKey(key: unknown) {
  return { version: 1, issuers: [{ iss: ISS, keys: [jwk('first'), key] }] };
}

function withIssuer(more: Record<string, unknown>) {
  return { version: 1, issuers: [{ iss: ISS, keys: [jwk('a')], ...more }] };
}

describe('a list of the right form', () => {
  test('is taken with its defaults', () => {
    expect(parse(document(7, ['a']))).toEqual({
      ok: true,
      list: {
        version: 7,
        issuers: [
          {
            iss: ISS,
            keys: [{ iss: ISS, kid: 'a', publicKey: new Uint8Array(keyPair('a').raw), retired: false }],
            holderProof: 'none',
            audiences: [],
            rights: 'ignore',
            types: [],
          },
        ],
      },
    });
  });

  test('is taken with every member', () => {
    const issuer = { holderProof: 'required', audiences: ['pharmacy'], rights: 'check' };
    const typ = ['dc+sd-jwt', 'vc+jwt'];
    const parsed = parse({
      version: Number.MAX_SAFE_INTEGER,
      issuers: [{ iss: ISS, keys: [jwk('a', { nbf: -1.5, exp: 2e9 })], ...issuer, typ }],
    });
    expect(parsed).toMatchObject({
      ok: true,
      list: { issuers: [{ ...issuer, types: typ, keys: [{ nbf: -1.5, exp: 2e9 }] }] },
    });
  });

  test('each key lies in memory of its own, so that posting it copies 32 bytes', () => {
    const parsed = parse(document(1));
    if (!parsed.ok) throw new Error(parsed.fault);
    expect(parsed.list.issuers[0]?.keys[0]?.publicKey.buffer.byteLength).toBe(32);
  });

  test('may use one kid under two issuers, and `__proto__` as a kid', () => {
    const issuers = [ISS, 'https://other.example'].map((iss) => ({ iss, keys: [jwk('__proto__')] }));
    expect(parse({ version: 1, issuers }).ok).toBe(true);
  });

  test('may reach each bound', () => {
    const audiences = Array.from({ length: 100 }, (_, i) => `${i}`.padEnd(1024, 'x'));
    const issuer = { iss: 'i'.repeat(1024), keys: [jwk('k'.repeat(256))], audiences };
    expect(parse({ version: 1, issuers: [issuer] }).ok).toBe(true);
  });
});

describe('not JSON', () => {
  test.each([
    ['empty', '', 'not JSON'],
    ['garbage', '<html>', 'not JSON'],
    ['torn', '{"version":1,"issuers":[', 'not JSON'],
    ['a byte order mark', `\ufeff${JSON.stringify(document(1))}`, 'not JSON'],
    ['a name twice', '{"version":1,"version":2,"issuers":[]}', 'duplicate member name'],
    ['too deep', `${'['.repeat(33)}${']'.repeat(33)}`, 'nested too deep'],
  ])('%s', (_, text, fault) => {
    expect(parse(text)).toEqual({ ok: false, reason: 'not_json', fault });
  });

  test('invalid UTF-8', () => {
    expect(parseTrustList(Buffer.from([0x7b, 0xff, 0x7d]))).toMatchObject({ fault: 'not well-formed UTF-8' });
  });
});

describe('refused, naming the place', () => {
  const tooMany = Array.from({ length: 1001 }, (_, i) => ({ iss: `${i}`, keys: [jwk('a')] }));
  const lone = '\ud800';
  test.each<[string, unknown, string | RegExp]>([
    ['an array', [], /^document: .*expected object/],
    ['null', null, /^document: /],
    ['no version', { issuers: document(1).issuers }, /^version: .*received undefined/],
    ['version -1', document(-1), /^version: /],
    ['version 1.5', document(1.5), /^version: /],
    ['an unsafe version', document(2 ** 53), /^version: /],
    ['a version in a string', { ...document(1), version: '1' }, /^version: /],
    ['no issuer', { version: 1, issuers: [] }, /^issuers: /],
    ['1,001 issuers', { version: 1, issuers: tooMany }, /^issuers: /],
    ['an issuer without keys', { version: 1, issuers: [{ iss: ISS, keys: [] }] }, /^issuers\[0\]\.keys: /],
    ['an empty iss', document(1, ['a'], ''), /^issuers\[0\]\.iss: /],
    ['an iss of 1,025', document(1, ['a'], 'i'.repeat(1025)), /^issuers\[0\]\.iss: /],
    ['an ill-formed iss', document(1, ['a'], lone), 'issuers[0].iss: lone surrogate'],
    ['an empty kid', withKey(jwk('')), /^issuers\[0\]\.keys\[1\]\.kid: /],
    ['a kid of 257', withKey(jwk('k'.repeat(257))), /^issuers\[0\]\.keys\[1\]\.kid: /],
    ['a number for kid', withKey(jwk('b', { kid: 1 })), /^issuers\[0\]\.keys\[1\]\.kid: /],
    ['another kty', withKey(jwk('b', { kty: 'EC' })), /^issuers\[0\]\.keys\[1\]\.kty: /],
    ['another crv', withKey(jwk('b', { crv: 'Ed448' })), /^issuers\[0\]\.keys\[1\]\.crv: /],
    ['nbf in a string', withKey(jwk('b', { nbf: '1' })), /^issuers\[0\]\.keys\[1\]\.nbf: /],
    ['nbf null', withKey(jwk('b', { nbf: null })), /^issuers\[0\]\.keys\[1\]\.nbf: /],
    ['nbf = exp', withKey(jwk('b', { nbf: 5, exp: 5 })), 'issuers[0].keys[1].exp: not after nbf'],
    ['a kid twice', withKey(jwk('first', { x: keyPair('b').x })), 'issuers[0].keys[1].kid: duplicate kid'],
    [
      'an issuer twice',
      { version: 1, issuers: [tooMany[0], tooMany[0]] },
      'issuers[1].iss: duplicate issuer',
    ],
    ['unknown policy', withIssuer({ holderProof: 'maybe' }), /^issuers\[0\]\.holderProof: /],
    ['101 audiences', withIssuer({ audiences: Array(101).fill('a') }), /^issuers\[0\]\.audiences: /],
    ['an audience that is no string', withIssuer({ audiences: [1] }), /^issuers\[0\]\.audiences\[0\]: /],
    ['unknown rights policy', withIssuer({ rights: 'open' }), /^issuers\[0\]\.rights: /],
    [
      'the type of holder proofs',
      withIssuer({ typ: ['vc+jwt', 'kb+jwt'] }),
      /^issuers\[0\]\.typ\[1\]: the type/,
    ],
    ['a type without a name', withIssuer({ typ: [''] }), /^issuers\[0\]\.typ\[0\]: /],
    ['too many types', withIssuer({ typ: Array(11).fill('a') }), /^issuers\[0\]\.typ: /],
    ['an unknown member', { ...document(1), extra: 1 }, 'document: unknown member "extra"'],
    ['an unknown member of an issuer', withIssuer({ name: 1 }), 'issuers[0]: unknown member "name"'],
    ['alg', withKey(jwk('b', { alg: 'EdDSA' })), 'issuers[0].keys[1]: unknown member "alg"'],
    ['a private key', withKey(jwk('b', { d: 'SECRET' })), 'issuers[0].keys[1]: unknown member "d"'],
    [
      'a long unknown name',
      withKey(jwk('b', { [`a${'b'.repeat(30)}`]: 1 })),
      'issuers[0].keys[1]: unknown member',
    ],
    ['an unknown name that forges a log line', withIssuer({ 'a\nb': 1 }), 'issuers[0]: unknown member'],
  ])('%s', (_, value, fault) => {
    const parsed = parse(value);
    expect(parsed).toMatchObject({ ok: false, reason: 'schema' });
    if (typeof fault === 'string') expect(parsed).toMatchObject({ fault });
    else expect(parsed).toMatchObject({ fault: expect.stringMatching(fault) });
    expect(JSON.stringify(parsed)).not.toContain('SECRET');
  });

  test('`__proto__` as a member', () => {
    const text = JSON.stringify(document(1)).replace('{', '{"__proto__":{"version":9},');
    expect(parse(text)).toMatchObject({ reason: 'schema', fault: 'document: unknown member "__proto__"' });
  });

  test('an infinite date', () => {
    const text = JSON.stringify(document(1)).replace('"kty"', '"nbf":1e400,"kty"');
    expect(parse(text)).toMatchObject({ fault: expect.stringMatching(/^issuers\[0\]\.keys\[0\]\.nbf: /) });
  });

  const x = keyPair('b').x;
  test.each([
    ['empty', ''],
    ['31 bytes', Buffer.alloc(31).toString('base64url')],
    ['33 bytes', Buffer.alloc(33).toString('base64url')],
    ['padded', `${x}=`],
    ['another alphabet', `+${x.slice(1)}`],
    ['white space', ` ${x.slice(1)}`],
    ['stray bits', `${x.slice(0, 42)}B`],
  ])('x: %s', (_, value) => {
    const parsed = parse(withKey(jwk('b', { x: value })));
    expect(parsed).toMatchObject({ fault: 'issuers[0].keys[1].x: not the strict base64url of 32 bytes' });
  });

  test('one key too many over all issuers, counted before the elements are looked at', () => {
    const issuers = [{ keys: Array(MAX_TRUSTED_KEYS - 1).fill(0) }, { keys: [0, 0] }];
    expect(parse({ version: 1, issuers })).toMatchObject({ fault: 'issuers: more than 10000 keys in all' });
    const millions = { version: 1, issuers: [{ iss: ISS, keys: Array(2_000_000).fill(0) }] };
    expect(parse(millions)).toMatchObject({ fault: 'issuers: more than 10000 keys in all' });
  });
});
