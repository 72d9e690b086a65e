/** Holder keys: the claim `cnf` (RFC 7800) and which keys may be used. */
import { Point } from '@noble/ed25519';
import { describe, expect, it } from 'vitest';
import { confirmationKey } from '../../src/credential/confirmation.ts';
import type { JsonValue } from '../../src/encoding/strict-json.ts';
import { encodeY, P, smallOrderPoints } from '../keys/trust-fixtures.ts';
import { cnfOf, HOLDER } from '../support/presentation.ts';

const RAW = Buffer.from(HOLDER.x, 'base64url');
const JWK = cnfOf().jwk as { [name: string]: JsonValue };

const ofBytes = (raw: Uint8Array) =>
  confirmationKey({ jwk: { ...JWK, x: Buffer.from(raw).toString('base64url') } });

describe('the claim', () => {
  it('gives the 32 bytes of its key', () => {
    expect(confirmationKey({ jwk: JWK })).toEqual(RAW);
  });

  /** RFC 8037 appendix A.2, in the form of the example of RFC 7800 section 3.2. */
  it('reads the public key that RFC 8037 gives as an example', () => {
    const x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo';
    const key = confirmationKey({ jwk: { kty: 'OKP', crv: 'Ed25519', x } });
    expect(Buffer.from(key ?? []).toString('hex')).toBe(
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    );
  });

  it.each<[string, JsonValue]>([
    ['members of the key that say how it is used', { jwk: { ...JWK, kid: '1', use: 'sig', alg: 'EdDSA' } }],
    ['a key id beside the key (RFC 7800 section 3.4)', { jwk: JWK, kid: 'key 1' }],
    ['members that nobody knows', { jwk: { ...JWK, 'x5t#S256': 1 }, osc: {} }],
  ])('may have %s', (_what, cnf) => {
    expect(confirmationKey(cnf)).toEqual(RAW);
  });

  it.each<[string, JsonValue | undefined]>([
    ['absent', undefined],
    ['null', null],
    ['a text', 'jwk'],
    ['a list', [{ jwk: JWK }]],
    ['empty', {}],
    ['a key by its id alone (RFC 7800 section 3.4)', { kid: 'dfd1aa97-6d8d-4575-a0fe-34b96de2bfad' }],
    ['a key elsewhere (RFC 7800 section 3.5)', { jku: 'https://keys.example.net/pop-keys.json', kid: '1' }],
    ['a key here and one elsewhere', { jwk: JWK, jku: 'https://keys.example.net' }],
    ['an encrypted key (RFC 7800 section 3.3)', { jwe: 'eyJhbGciOiJSU0EtT0FFUCJ9' }],
    ['a key and an encrypted one', { jwk: JWK, jwe: 'eyJhbGciOiJSU0EtT0FFUCJ9' }],
    ['a key that is a text', { jwk: 'x' }],
    ['a key that is a list', { jwk: [JWK] }],
    [
      'the key of RFC 7800 section 3.2, on another curve',
      {
        jwk: {
          kty: 'EC',
          use: 'sig',
          crv: 'P-256',
          x: '18wHLeIgW9wVN6VD1Txgpqy2LszYkMf6J8njVAibvhM',
          y: '-V4dS4UaLMgP_4fY4j8ir7cl1TXlFdAgcx55o7TkcSA',
        },
      },
    ],
    ['Ed448', { jwk: { ...JWK, crv: 'Ed448' } }],
    ['X25519', { jwk: { ...JWK, crv: 'X25519' } }],
    ['kty in other letters', { jwk: { ...JWK, kty: 'okp' } }],
    ['no kty', { jwk: { crv: 'Ed25519', x: HOLDER.x } }],
    ['no crv', { jwk: { kty: 'OKP', x: HOLDER.x } }],
    ['no x', { jwk: { kty: 'OKP', crv: 'Ed25519' } }],
    ['x as a number', { jwk: { ...JWK, x: 1 } }],
    ['the private half as well', { jwk: { ...JWK, d: 'AA' } }],
    ['the private half, even if it is null', { jwk: { ...JWK, d: null } }],
  ])('gives no key when it is %s', (_what, cnf) => {
    expect(confirmationKey(cnf)).toBeUndefined();
  });
});

describe('the key', () => {
  it.each([0, 31, 33, 64])('of %i bytes is none', (length) => {
    expect(ofBytes(new Uint8Array(length).fill(3))).toBeUndefined();
  });

  it.each([
    ['padding', `${HOLDER.x}=`],
    ['another alphabet', HOLDER.x.replace(/^./, '+')],
    ['stray bits', HOLDER.x.slice(0, -1) + String.fromCharCode(HOLDER.x.charCodeAt(42) + 1)],
  ])('spelled with %s is none', (_what, x) => {
    expect(confirmationKey({ jwk: { ...JWK, x } })).toBeUndefined();
  });

  it('of small order is none', () => {
    for (const point of smallOrderPoints()) expect(ofBytes(point.toBytes())).toBeUndefined();
  });

  it('with a torsion part is one', () => {
    const honest = Point.fromBytes(RAW);
    for (const torsion of smallOrderPoints().slice(1)) {
      expect(ofBytes(honest.add(torsion).toBytes())).toBeDefined();
    }
  });

  it('that is not canonical is none', () => {
    for (let y = P; y < 2n ** 255n; y++) {
      for (const sign of [0n, 1n]) expect(ofBytes(encodeY(y, sign))).toBeUndefined();
    }
  });
});
