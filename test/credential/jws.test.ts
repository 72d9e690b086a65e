import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DecodedCredential, decodeJws } from '../../src/credential/jws.ts';
import { base64url, credential, goodClaims, ISS, KID, SIGNER, sealed } from '../support/synthetic-issuer.ts';

const MAX_CHARS = 65_536;

function reasonOf(text: string, maxChars = MAX_CHARS): string {
  const decoded = decodeJws(text, maxChars);
  return decoded.ok ? 'decoded' : decoded.reason;
}

function withHeader(header: Record<string, unknown> | string): string {
  return reasonOf(credential({ header }));
}

function withPayload(payload: unknown): string {
  return reasonOf(credential({ payload }));
}

const GOOD = credential();
const [HEAD, BODY, SIGNATURE] = GOOD.split('.') as [string, string, string];

describe('a well-formed credential', () => {
  it('is taken apart, and its payload kept to the letter', () => {
    const payload = ' {"iss":"https://issuer.example",\n"n":1e400, "big":9007199254740993} ';
    const text = credential({ payload });
    const decoded = decodeJws(text, MAX_CHARS);
    if (!decoded.ok) throw new Error(decoded.reason);
    const { kid, iss, claims, claimsText, signingInput, signature } = decoded.credential;
    expect({ kid, iss, claimsText }).toEqual({ kid: KID, iss: ISS, claimsText: payload });
    expect(claims).toEqual({ iss: ISS, n: Infinity, big: 2 ** 53 });
    expect(Buffer.from(signingInput).toString()).toBe(text.slice(0, text.lastIndexOf('.')));
    expect(Buffer.from(signature).toString('base64url')).toBe(text.slice(text.lastIndexOf('.') + 1));
  });

  it.each([
    ['EdDSA', { alg: 'EdDSA' }],
    ['Ed25519 (RFC 9864)', { alg: 'Ed25519' }],
    ['typ JWT', { typ: 'JWT' }],
    ['header members without a meaning here', { cty: 'x', x5t: 'AA', 'x5t#S256': 'AA', epk: {}, zip: 'DEF' }],
    ['a kid that looks like a path', { kid: '../../etc/passwd' }],
    ['a kid of 10 KB', { kid: 'k'.repeat(10_240) }],
    ['a kid named __proto__', { kid: '__proto__' }],
    ['an empty kid', { kid: '' }],
  ])('may have %s', (_what, header) => {
    expect(withHeader(header)).toBe('decoded');
  });

  it('may be as long as the bound and not a character longer', () => {
    expect(reasonOf(GOOD, GOOD.length)).toBe('decoded');
    expect(reasonOf(GOOD, GOOD.length - 1)).toBe('malformed');
  });
});

describe('form', () => {
  it.each([
    ['the empty text', ''],
    ['one segment', HEAD],
    ['two segments', `${HEAD}.${BODY}`],
    ['four segments', `${GOOD}.AAAA`],
    ['five segments (a JWE)', `${HEAD}.${BODY}.AAAA.BBBB.CCCC`],
    ['dots alone', '..'],
    ['no header', `.${BODY}.${SIGNATURE}`],
    ['no payload', `${HEAD}..${SIGNATURE}`],
    ['white space before', ` ${GOOD}`],
    ['a line break behind', `${GOOD}\n`],
    ['a carriage return behind', `${GOOD}\r`],
    ['the JSON serialization', JSON.stringify({ protected: HEAD, payload: BODY, signature: SIGNATURE })],
    ['an SD-JWT', `${GOOD}~`],
    ['a scheme before', `Bearer ${GOOD}`],
    ['a full stop of another script', GOOD.replace('.', '\uff0e')],
  ])('%s is malformed', (_what, text) => {
    expect(reasonOf(text)).toBe('malformed');
  });

  it.each([0, 1, 2, 3, 31, 32, 63, 65, 66, 96, 128, 12_288])(
    'a signature of %i bytes is malformed',
    (length) => {
      expect(reasonOf(`${HEAD}.${BODY}.${base64url(Buffer.alloc(length, 7))}`)).toBe('malformed');
    },
  );

  it('has one spelling: of the 16 texts for the same signature bytes only the canonical one decodes', () => {
    const symbols = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const bytes = Buffer.from(SIGNATURE, 'base64url');
    const spellings = [...symbols]
      .map((last) => SIGNATURE.slice(0, -1) + last)
      .filter((spelling) => Buffer.from(spelling, 'base64url').equals(bytes));
    expect(spellings).toHaveLength(16);
    const accepted = spellings.filter((spelling) => reasonOf(`${HEAD}.${BODY}.${spelling}`) === 'decoded');
    expect(accepted).toEqual([SIGNATURE]);
  });

  it.each([
    ['padding', (part: string) => `${part}=`],
    ['double padding', (part: string) => `${part}==`],
    ['a plus', (part: string) => `+${part.slice(1)}`],
    ['a slash', (part: string) => `/${part.slice(1)}`],
    ['a space', (part: string) => `${part.slice(0, 4)} ${part.slice(4)}`],
    ['a percent escape', (part: string) => `${part.slice(0, -1)}%41`],
    ['a NUL', (part: string) => `${part}\0`],
    ['a letter of another script', (part: string) => `\u0410${part.slice(1)}`],
  ])('%s in any segment is malformed', (_what, spoil) => {
    expect(reasonOf(`${spoil(HEAD)}.${BODY}.${SIGNATURE}`)).toBe('malformed');
    expect(reasonOf(`${HEAD}.${spoil(BODY)}.${SIGNATURE}`)).toBe('malformed');
    expect(reasonOf(`${HEAD}.${BODY}.${spoil(SIGNATURE)}`)).toBe('malformed');
  });
});

describe('the header', () => {
  it.each([
    'none',
    'None',
    'NONE',
    'nOnE',
    '',
    'HS256',
    'ES256',
    'ES256K',
    'PS256',
    'RS256',
    'Ed448',
    'eddsa',
    'EDDSA',
    'ed25519',
    'EdDSA ',
  ])('alg %j is not allowed', (alg) => {
    expect(withHeader({ alg })).toBe('alg_not_allowed');
  });

  it('alg none with no signature is judged by its header: not allowed', () => {
    expect(reasonOf(`${base64url({ alg: 'none', kid: KID })}.${BODY}.`)).toBe('alg_not_allowed');
  });

  it('HS256 keyed with the public key is not allowed, however it is signed', () => {
    const input = `${base64url({ alg: 'HS256', kid: KID })}.${BODY}`;
    const mac = createHmac('sha256', Buffer.from(SIGNER.x, 'base64url')).update(input).digest('base64url');
    expect(reasonOf(`${input}.${mac}`)).toBe('alg_not_allowed');
  });

  it.each([undefined, null, 1, ['EdDSA'], { alg: 'EdDSA' }, true])('alg %j is malformed', (alg) => {
    expect(withHeader({ alg })).toBe('malformed');
  });

  it.each([
    ['an unknown extension', { crit: ['exp'], exp: 1 }],
    ['an empty list', { crit: [] }],
    ['the same name twice', { crit: ['b64', 'b64'], b64: false }],
    ['no list', { crit: 'b64' }],
    ['null', { crit: null }],
    ['b64 false (RFC 7797)', { b64: false, crit: ['b64'] }],
    ['b64 false without crit', { b64: false }],
    ['b64 true', { b64: true }],
    ['b64 of another type', { b64: 'x' }],
  ])('crit with %s is crit_unsupported', (_what, header) => {
    expect(withHeader(header)).toBe('crit_unsupported');
  });

  it.each(['jwk', 'jku', 'x5c', 'x5u'])(
    '%s is malformed, whatever it holds and whatever else is wrong',
    (name) => {
      for (const value of [
        { kty: 'OKP', crv: 'Ed25519', x: SIGNER.x },
        'https://keys.example/',
        [],
        null,
        false,
      ]) {
        expect(withHeader({ [name]: value })).toBe('malformed');
      }
      expect(withHeader({ [name]: 'x', alg: 'none', crit: ['x'] })).toBe('malformed');
    },
  );

  it.each([undefined, null, 7, ['2026-a'], { kid: '2026-a' }, true])('kid %j is malformed', (kid) => {
    expect(withHeader({ kid })).toBe('malformed');
  });

  it.each(['jwt', 'at+jwt', 'application/jwt', 'JOSE', 'dc+sd-jwt', 'kb+jwt', '', null, 1, ['JWT']])(
    'typ %j is malformed: a token of another type',
    (typ) => {
      expect(withHeader({ typ })).toBe('malformed');
    },
  );

  it.each([
    ['an array', '[]'],
    ['a string', '"EdDSA"'],
    ['null', 'null'],
    ['no JSON', 'alg=EdDSA'],
    ['nothing', ''],
    ['a byte order mark', `\ufeff{"alg":"EdDSA","kid":"${KID}"}`],
    ['alg twice', `{"alg":"none","alg":"EdDSA","kid":"${KID}"}`],
    ['alg twice by an escape', `{"alg":"EdDSA","kid":"${KID}","\\u0061lg":"none"}`],
    ['a duplicate deep inside', `{"alg":"EdDSA","kid":"${KID}","x":[{"y":1,"y":1}]}`],
    ['33 levels', `{"alg":"EdDSA","kid":"${KID}","x":${'['.repeat(32)}${']'.repeat(32)}}`],
    ['its members behind __proto__', `{"__proto__":{"alg":"EdDSA","kid":"${KID}"}}`],
  ])('of %s is malformed', (_what, header) => {
    expect(withHeader(header)).toBe('malformed');
  });

  it('may be 32 levels deep', () => {
    expect(withHeader(`{"alg":"EdDSA","kid":"${KID}","x":${'['.repeat(31)}${']'.repeat(31)}}`)).toBe(
      'decoded',
    );
  });

  it('of invalid UTF-8 is malformed', () => {
    const header = Buffer.concat([
      Buffer.from(`{"alg":"EdDSA","kid":"${KID}`),
      Buffer.of(0xff),
      Buffer.from('"}'),
    ]);
    expect(reasonOf(sealed(`${base64url(header)}.${BODY}`))).toBe('malformed');
  });
});

describe('the payload', () => {
  it.each([
    ['iss missing', { jti: 'x', exp: 1 }],
    ['iss a number', goodClaims({ iss: 1 })],
    ['iss an array', goodClaims({ iss: [ISS] })],
    ['iss null', goodClaims({ iss: null })],
    ['iss an object', goodClaims({ iss: { toString: 'x' } })],
    ['an array', []],
    ['null', 'null'],
    ['a string', '"x"'],
    ['nothing', ''],
    ['a trailing NUL', `${JSON.stringify(goodClaims())}\0`],
    ['two objects', '{}{}'],
    ['exp twice', `{"iss":"${ISS}","jti":"x","exp":1,"exp":9999999999}`],
    ['iss twice by an escape', `{"iss":"${ISS}","i\\u0073s":"https://forged.example","jti":"x","exp":1}`],
    ['33 levels', goodClaims({ x: JSON.parse('['.repeat(32) + ']'.repeat(32)) })],
    ['iss behind __proto__', `{"__proto__":{"iss":"${ISS}"},"jti":"x","exp":1}`],
    ['invalid UTF-8', Buffer.from(`{"iss":"${ISS}\xff"}`, 'latin1')],
    ['UTF-16', Buffer.from(JSON.stringify(goodClaims()), 'utf16le')],
    ['a byte order mark', `\ufeff${JSON.stringify(goodClaims())}`],
  ])('with %s is malformed', (_what, payload) => {
    expect(withPayload(payload)).toBe('malformed');
  });

  it.each([
    ['jti missing', { iss: ISS, exp: 1 }],
    ['exp a string', goodClaims({ exp: '1' })],
    ['aud a number', goodClaims({ aud: 1 })],
    ['32 levels', goodClaims({ x: JSON.parse('['.repeat(31) + ']'.repeat(31)) })],
  ])('with %s still decodes: claims are judged once the signature holds', (_what, payload) => {
    expect(withPayload(payload)).toBe('decoded');
  });
});

describe('which fault is told when there are several', () => {
  const bad = (header: Record<string, unknown>, payload: unknown = 'no JSON'): string =>
    reasonOf(`${base64url(header)}.${base64url(payload)}.AAAA`);

  it('the header before the payload and the signature', () => {
    expect(bad({ alg: 'none' })).toBe('alg_not_allowed');
    expect(bad({ alg: 'EdDSA', crit: ['x'] })).toBe('crit_unsupported');
    expect(bad({ alg: 'EdDSA', kid: KID })).toBe('malformed');
  });

  it('an embedded key, then the algorithm, then crit, then kid and typ', () => {
    expect(bad({ jwk: {}, alg: 'none', crit: [], kid: 1 })).toBe('malformed');
    expect(bad({ alg: 'none', crit: [], kid: 1, typ: 'x' })).toBe('alg_not_allowed');
    expect(bad({ alg: 'EdDSA', crit: [], kid: 1, typ: 'x' })).toBe('crit_unsupported');
  });
});

describe('properties', () => {
  const faults = ['malformed', 'alg_not_allowed', 'crit_unsupported'];

  it('hostile text never throws and never gives another reason', () => {
    const segments = fc.oneof(
      fc.constantFrom(HEAD, BODY, SIGNATURE, '', 'e30', 'W10'),
      fc.jsonValue().map((value) => base64url(value)),
      fc.string(),
    );
    const dotted = fc.array(segments, { maxLength: 5 }).map((parts) => parts.join('.'));
    fc.assert(
      fc.property(
        fc.oneof(dotted, fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' })),
        (text) => {
          const reason = reasonOf(text);
          expect(reason === 'decoded' || faults.includes(reason)).toBe(true);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it('any header object never throws, and decodes only with one of the two algorithms and a text kid', () => {
    const value = fc.oneof(fc.constantFrom('EdDSA', 'Ed25519', 'JWT', KID), fc.jsonValue());
    const member = fc.constantFrom('alg', 'kid', 'typ', 'crit', 'b64', 'jwk', 'x5u', '__proto__', 'zip');
    const header = fc.uniqueArray(fc.tuple(member, value), { maxLength: 5, selector: ([name]) => name });
    fc.assert(
      fc.property(header, (members) => {
        const text = `{${members.map(([name, content]) => `"${name}":${JSON.stringify(content)}`).join(',')}}`;
        const decoded = decodeJws(`${base64url(text)}.${BODY}.${SIGNATURE}`, MAX_CHARS);
        if (!decoded.ok) return;
        const held = new Map<string, unknown>(members);
        expect(['EdDSA', 'Ed25519']).toContain(held.get('alg'));
        expect(held.get('kid')).toBe(decoded.credential.kid);
        for (const name of ['crit', 'b64', 'jwk', 'x5u']) expect(held.has(name)).toBe(false);
      }),
      { numRuns: 5_000 },
    );
  });

  it('a changed text that still decodes has other signed bytes or another signature', () => {
    const position = fc.nat({ max: GOOD.length });
    const edit = fc.record({ at: position, drop: fc.nat({ max: 3 }), add: fc.string({ maxLength: 3 }) });
    const original = decodeJws(GOOD, MAX_CHARS) as { credential: DecodedCredential };
    const spelled = ({ signingInput, signature }: DecodedCredential): string =>
      `${Buffer.from(signingInput).toString()}.${base64url(signature)}`;
    expect(spelled(original.credential)).toBe(GOOD);
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
        let text = GOOD;
        for (const { at, drop, add } of edits) text = text.slice(0, at) + add + text.slice(at + drop);
        const decoded = decodeJws(text, MAX_CHARS);
        // Text and (signed bytes, signature) determine each other, so two texts never share a signature check.
        if (decoded.ok) expect(spelled(decoded.credential)).toBe(text);
      }),
      { numRuns: 5_000 },
    );
  });
});
