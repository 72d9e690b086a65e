import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { audienceMatches, type CheckedClaims, checkClaims, judgeDates } from '../../src/credential/claims.ts';
import { type JsonObject, parseStrictJson } from '../../src/encoding/strict-json.ts';
import { goodClaims, ISS, NOW_SECONDS } from '../support/synthetic-issuer.ts';

const SKEW_SECONDS = 30;

function check(more: Record<string, unknown>): CheckedClaims | undefined {
  return checkClaims({ ...goodClaims(), ...more } as JsonObject);
}

/** Claims as they come out of a payload's text. */
function read(text: string): CheckedClaims | undefined {
  const json = parseStrictJson(text);
  if (!json.ok) throw new Error(json.fault);
  return checkClaims(json.value as JsonObject);
}

describe('presence and types', () => {
  it('takes what verification reads and nothing else', () => {
    expect(check({ nbf: 1.5, iat: -2, aud: 'a', given_name: 'Camille' })).toEqual({
      iss: ISS,
      jti: 'card-1',
      exp: NOW_SECONDS + 3_600,
      nbf: 1.5,
      iat: -2,
      aud: ['a'],
      test: false,
    });
  });

  it.each(['iss', 'jti', 'exp'])('without %s it is malformed', (name) => {
    const { [name]: _left, ...claims } = goodClaims() as JsonObject;
    expect(checkClaims(claims as JsonObject)).toBeUndefined();
  });

  it.each([
    ['iss', ''],
    ['jti', ''],
    ['jti', 7],
    ['jti', 0],
    ['jti', ['card-1']],
    ['jti', { jti: 'card-1' }],
    ['jti', null],
    ['jti', true],
    ['exp', '1798761600'],
    ['exp', null],
    ['exp', [1]],
    ['exp', true],
    ['exp', Infinity],
    ['nbf', '0'],
    ['nbf', null],
    ['nbf', -Infinity],
    ['iat', {}],
    ['iat', null],
    ['iat', false],
    ['aud', 1],
    ['aud', null],
    ['aud', {}],
    ['aud', ['a', 1]],
    ['aud', [['a']]],
    ['aud', [null]],
  ])('%s of %j is malformed', (name, value) => {
    expect(check({ [name]: value })).toBeUndefined();
  });

  it.each(['1e400', '-1e400', '1e309'])('exp %s overflows a double and is malformed', (number) => {
    expect(read(`{"iss":"i","jti":"j","exp":${number}}`)).toBeUndefined();
    expect(read(`{"iss":"i","jti":"j","exp":1,"nbf":${number}}`)).toBeUndefined();
    expect(read(`{"iss":"i","jti":"j","exp":1,"iat":${number}}`)).toBeUndefined();
  });

  it.each([0, -1, -0, 0.5, 1e15, Number.MAX_VALUE])('exp %d is a finite number', (exp) => {
    expect(check({ exp })?.exp).toBe(exp);
  });

  it('claims that only a prototype holds are missing', () => {
    expect(read('{"__proto__":{"jti":"j","exp":9e9},"iss":"i"}')).toBeUndefined();
    expect(read('{"iss":"i","jti":"j","exp":1,"__proto__":{"nbf":"x","aud":1,"test":true}}')).toMatchObject({
      nbf: undefined,
      aud: undefined,
      test: false,
    });
  });

  it('names are exact: case twins and composed forms are other claims', () => {
    expect(read('{"iss":"i","JTI":"j","exp":1}')).toBeUndefined();
    expect(read('{"iss":"i","jti":"e\u0301","exp":1}')?.jti).not.toBe(
      read('{"iss":"i","jti":"é","exp":1}')?.jti,
    );
  });

  it('only `true` marks a test credential', () => {
    expect(check({ test: true })?.test).toBe(true);
    for (const test of ['true', 1, {}, [], null, false]) expect(check({ test })?.test).toBe(false);
  });

  it('never throws, whatever object it gets (property)', () => {
    const name = fc.constantFrom('iss', 'jti', 'exp', 'nbf', 'iat', 'aud', 'test', '__proto__', 'sub');
    const members = fc.uniqueArray(fc.tuple(name, fc.jsonValue()), { selector: ([key]) => key });
    fc.assert(
      fc.property(members, (entries) => {
        const checked = checkClaims(Object.fromEntries(entries) as JsonObject);
        const held = new Map(entries);
        if (checked === undefined) return;
        expect(typeof held.get('jti')).toBe('string');
        expect(Number.isFinite(held.get('exp'))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('dates, with 30 s of skew', () => {
  const judge = (claims: Record<string, number>, t = NOW_SECONDS): string => {
    const { exp, nbf = Number.NaN, iat = Number.NaN } = check(claims) as CheckedClaims;
    return judgeDates(exp, nbf, iat, t, SKEW_SECONDS) ?? 'in date';
  };
  const later = (seconds: number): number => NOW_SECONDS + seconds;

  it.each([
    ['exp 30 s ago', { exp: later(-30) }, 'expired'],
    ['exp 29.999 s ago', { exp: later(-29.999) }, 'in date'],
    ['exp now', { exp: later(0) }, 'in date'],
    ['exp 0', { exp: 0 }, 'expired'],
    ['a negative exp', { exp: -1 }, 'expired'],
    ['the largest exp', { exp: Number.MAX_VALUE }, 'in date'],
    ['nbf in 30 s', { nbf: later(30) }, 'in date'],
    ['nbf in 30.001 s', { nbf: later(30.001) }, 'not_yet_valid'],
    ['iat in 30 s', { iat: later(30) }, 'in date'],
    ['iat in 30.001 s', { iat: later(30.001) }, 'not_yet_valid'],
    ['iat in the future, nbf in the past', { iat: later(31), nbf: later(-31) }, 'not_yet_valid'],
    ['nbf in the future, iat in the past', { nbf: later(31), iat: later(-31) }, 'not_yet_valid'],
    ['both future and expired', { nbf: later(31), exp: later(-31) }, 'not_yet_valid'],
    ['nbf after exp, both near', { nbf: later(10), exp: later(-10) }, 'in date'],
  ])('%s: %s', (_what, claims, expected) => {
    expect(judge(claims)).toBe(expected);
  });
});

describe('audience', () => {
  const matches = (aud: unknown, call: string | undefined, issuer: string[]): boolean =>
    audienceMatches((check(aud === undefined ? {} : { aud }) as CheckedClaims).aud, call, issuer);

  it.each([
    ['no aud binds to nobody', undefined, 'p', ['q'], true],
    ['no aud, nobody asks', undefined, undefined, [], true],
    ['the call names it', 'p', 'p', [], true],
    ['the call names one of several', ['o', 'p'], 'p', [], true],
    ['the call names another', 'p', 'q', [], false],
    ['the call names another, though the issuer names it', 'p', 'q', ['p'], false],
    ['the issuer names it, the call none', 'p', undefined, ['o', 'p'], true],
    ['nobody names it', 'p', undefined, [], false],
    ['an empty list binds to nobody that asks', [], 'p', ['p'], false],
    ['an empty list, nobody asks', [], undefined, ['p'], false],
    ['the empty audience is one like any other', '', '', [], true],
    ['case counts', 'P', 'p', [], false],
    ['no prefix', 'pharmacy', 'pharm', [], false],
  ])('%s', (_what, aud, call, issuer, expected) => {
    expect(matches(aud, call, issuer)).toBe(expected);
  });
});
