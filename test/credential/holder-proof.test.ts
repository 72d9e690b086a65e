/** The form of key-binding JWTs, and what they must be made for; on the strict form of a JWS see jws.test.ts, too. */
import { describe, expect, it } from 'vitest';
import { decodeHolderProof, type ProofOccasion, proofFits } from '../../src/credential/holder-proof.ts';
import {
  heldCredential,
  holderProof,
  NONCE,
  PHARMACY,
  type Proof,
  sdHashOf,
} from '../support/presentation.ts';
import { base64url, NOW_SECONDS } from '../support/synthetic-issuer.ts';

const MAX_CHARS = 4_096;
const CREDENTIAL = heldCredential();
const GOOD = holderProof(CREDENTIAL);
const [HEAD, BODY, SIGNATURE] = GOOD.split('.') as [string, string, string];

const decodes = (text: string, maxChars = MAX_CHARS) => decodeHolderProof(text, maxChars) !== undefined;
const made = (proof: Proof) => decodes(holderProof(CREDENTIAL, proof));

describe('a well-formed proof', () => {
  it('is taken apart', () => {
    const proof = decodeHolderProof(GOOD, MAX_CHARS);
    expect(proof).toEqual({
      iat: NOW_SECONDS,
      aud: PHARMACY,
      nonce: NONCE,
      sdHash: sdHashOf(CREDENTIAL),
      signingInputChars: HEAD.length + 1 + BODY.length,
      signature: Buffer.from(SIGNATURE, 'base64url'),
    });
  });

  it.each<[string, Proof]>([
    ['alg EdDSA', { header: { alg: 'EdDSA' } }],
    ['alg Ed25519 (RFC 9864)', { header: { alg: 'Ed25519' } }],
    ['a kid, whatever it says', { header: { kid: '../../etc/passwd' } }],
    ['header members without a meaning here', { header: { cty: 'x', zip: 'DEF' } }],
    ['claims beside its own', { claims: { exp: 0, iss: 'me', '': null } }],
    ['an iat that is no whole number', { claims: { iat: 1.5 } }],
    ['an iat below zero', { claims: { iat: -1 } }],
    ['an empty nonce', { claims: { nonce: '' } }],
    ['an empty aud', { claims: { aud: '' } }],
    ['a nonce of other scripts', { claims: { nonce: 'Åse 💊 \u0000 \ud800' } }],
  ])('may have %s', (_what, proof) => {
    expect(made(proof)).toBe(true);
  });

  it('may be as long as the bound and not a character longer', () => {
    expect(decodes(GOOD, GOOD.length)).toBe(true);
    expect(decodes(GOOD, GOOD.length - 1)).toBe(false);
  });

  /**
   * The claims of the key-binding JWT of RFC 9901 section 4.3.1's kind: `nonce`, `aud`, `iat`, `sd_hash`, under
   * `typ: kb+jwt`. The RFC's own are signed by ES256, which is refused here (below), so the example is signed anew.
   */
  it('has the members of the examples of RFC 9901, and is read whatever their order', () => {
    const claims = { nonce: '1234567890', aud: 'https://verifier.example.org', iat: 1_748_537_244 };
    for (const payload of [
      JSON.stringify({ ...claims, sd_hash: sdHashOf(CREDENTIAL) }),
      JSON.stringify({ sd_hash: sdHashOf(CREDENTIAL), ...claims }, undefined, 2),
    ]) {
      const proof = decodeHolderProof(holderProof(CREDENTIAL, { payload }), MAX_CHARS);
      expect(proof).toMatchObject({ ...claims, sdHash: sdHashOf(CREDENTIAL) });
    }
  });
});

describe('refused for its header', () => {
  it.each<[string, Record<string, unknown> | string]>([
    ['no typ', '{"alg":"EdDSA"}'],
    ['typ JWT', { typ: 'JWT' }],
    ['typ in other letters', { typ: 'KB+JWT' }],
    ['typ with its media type', { typ: 'application/kb+jwt' }],
    ['typ kb+cwt', { typ: 'kb+cwt' }],
    ['typ in a list', { typ: ['kb+jwt'] }],
    ['no alg', '{"typ":"kb+jwt"}'],
    ['alg none', { alg: 'none' }],
    ['alg ES256', { alg: 'ES256' }],
    ['alg HS256', { alg: 'HS256' }],
    ['alg Ed448', { alg: 'Ed448' }],
    ['alg in other letters', { alg: 'eddsa' }],
    ['alg null', { alg: null }],
    ['a jwk', { jwk: { kty: 'OKP', crv: 'Ed25519', x: 'AA' } }],
    ['a jku', { jku: 'https://keys.example' }],
    ['an x5c', { x5c: [] }],
    ['an x5u', { x5u: 'https://keys.example' }],
    ['crit', { crit: ['exp'], exp: 1 }],
    ['an empty crit', { crit: [] }],
    ['b64', { b64: false }],
    ['a kid that is a number', { kid: 1 }],
    ['a kid that is null', { kid: null }],
    ['a name twice', '{"alg":"EdDSA","typ":"kb+jwt","typ":"kb+jwt"}'],
    ['a list', '["EdDSA"]'],
    ['a byte order mark', '\ufeff{"alg":"EdDSA","typ":"kb+jwt"}'],
    ['no JSON', 'kb+jwt'],
  ])('%s', (_what, header) => {
    expect(made({ header })).toBe(false);
  });
});

describe('refused for its claims', () => {
  const claim = (name: string, value: unknown): [string, unknown, Proof] => [
    name,
    value,
    { claims: { [name]: value } },
  ];
  it.each([
    ...[undefined, null, '1', true, [1], {}].map((value) => claim('iat', value)),
    ...[undefined, null, 1, true, ['a'], [], {}].map((value) => claim('aud', value)),
    ...[undefined, null, 1, true, ['a'], {}].map((value) => claim('nonce', value)),
    ...[undefined, null, 1, true, ['a'], {}].map((value) => claim('sd_hash', value)),
  ])('%s %j', (_name, _value, proof) => {
    expect(made(proof)).toBe(false);
  });

  it.each([
    ['an iat beyond all numbers', '{"iat":1e400,"aud":"a","nonce":"n","sd_hash":"h"}'],
    ['a name twice', '{"iat":1,"iat":1,"aud":"a","nonce":"n","sd_hash":"h"}'],
    [
      'a name twice, once spelled by an escape',
      '{"iat":1,"a\\u0075d":"a","aud":"a","nonce":"n","sd_hash":"h"}',
    ],
    ['a list', '[1]'],
    ['nothing', ''],
    ['something behind it', '{"iat":1,"aud":"a","nonce":"n","sd_hash":"h"}}'],
    ['33 levels', `{"iat":1,"aud":"a","nonce":"n","sd_hash":"h","x":${'['.repeat(32)}${']'.repeat(32)}}`],
  ])('%s', (_what, payload) => {
    expect(made({ payload })).toBe(false);
  });
});

describe('refused for its form', () => {
  it.each([
    ['the empty text', ''],
    ['two segments', `${HEAD}.${BODY}`],
    ['four segments', `${GOOD}.AAAA`],
    ['a presentation with disclosures', `${CREDENTIAL}~${GOOD}`],
    ['a tilde before', `~${GOOD}`],
    ['white space behind', `${GOOD} `],
    ['padding', `${GOOD}==`],
    ['an empty signature', `${HEAD}.${BODY}.`],
    ['63 bytes of signature', `${HEAD}.${BODY}.${base64url(Buffer.alloc(63, 7))}`],
    ['65 bytes of signature', `${HEAD}.${BODY}.${base64url(Buffer.alloc(65, 7))}`],
    [
      'stray bits at its end',
      `${HEAD}.${BODY}.${SIGNATURE.slice(0, -1)}${SIGNATURE.endsWith('B') ? 'C' : 'B'}`,
    ],
    ['a character of another alphabet', GOOD.replace('.', '+.')],
    ['a character beyond a byte', `${GOOD.slice(0, -1)}\u0141`],
  ])('%s', (_what, text) => {
    expect(decodes(text)).toBe(false);
  });
});

describe('what a proof must be made for', () => {
  const proof = { aud: PHARMACY, nonce: NONCE, iat: NOW_SECONDS };
  const occasion: ProofOccasion = {
    audience: undefined,
    issuerAudiences: ['https://network.example', PHARMACY],
    nonce: undefined,
    nowSeconds: NOW_SECONDS,
    windowSeconds: 60,
    aheadSeconds: 3_600,
  };
  const fits = (of: Partial<typeof proof>, at: Partial<ProofOccasion>) =>
    proofFits({ ...proof, ...of }, { ...occasion, ...at });

  it.each<[string, Partial<typeof proof>, Partial<ProofOccasion>, boolean]>([
    ['one of the issuer’s audiences', {}, {}, true],
    ['none of them', { aud: 'https://other.example' }, {}, false],
    ['an issuer without audiences', {}, { issuerAudiences: [] }, false],
    ['the call’s audience', {}, { audience: PHARMACY }, true],
    ['the call’s audience, whatever the issuer’s', {}, { audience: PHARMACY, issuerAudiences: [] }, true],
    ['one of the issuer’s, but the call names another', {}, { audience: 'https://network.example' }, false],
    ['an audience in other letters', { aud: PHARMACY.toUpperCase() }, {}, false],
    ['the empty audience of the call', { aud: '' }, { audience: '' }, true],
  ])('audience: %s', (_what, of, at, expected) => {
    expect(fits(of, at)).toBe(expected);
  });

  it.each([
    [0, true],
    [60, true],
    [-60, true],
    [60.001, false],
    [-60.001, false],
    [1e308, false],
    [-1e308, false],
  ])('an iat %d s from now, without a nonce of the call: %s', (offset, expected) => {
    expect(fits({ iat: NOW_SECONDS + offset }, {})).toBe(expected);
  });

  it('the nonce of the call, where it names one, and then whatever iat', () => {
    expect(fits({}, { nonce: NONCE })).toBe(true);
    expect(fits({ iat: -1e308 }, { nonce: NONCE })).toBe(true);
    for (const nonce of ['', `${NONCE} `, NONCE.toUpperCase()]) expect(fits({}, { nonce })).toBe(false);
    expect(fits({ nonce: '' }, { nonce: '' })).toBe(true);
  });
});
