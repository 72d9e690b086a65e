/** The path as a whole, on each real engine, with the other parts in memory: every reason, order, isolation. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CardStatus } from '../src/card-status.ts';
import { LIMITS } from '../src/config.ts';
import { type GatewayParts, type VerificationRequest, verifyCredentials } from '../src/gateway.ts';
import type { TrustIndex } from '../src/keys/trust-index.ts';
import type { SignatureCheck, SignatureEngine } from '../src/signature/engine.ts';
import type { Reason } from '../src/verdict.ts';
import type { Verification } from '../src/verification/verification.ts';
import { enginesUnderTest } from './signature/engines.ts';
import { replayGuard } from './support/replay-guard.ts';
import {
  type Credential,
  credential,
  goodClaims,
  ISS,
  KID,
  NOW_SECONDS,
  SIGNER,
  signerOf,
  tampered,
  trustedIssuer,
  trustedKey,
  trustIndex,
} from './support/synthetic-issuer.ts';

const OTHER_ISS = 'https://other-issuer.example';
const PROOF_ISS = 'https://proof-issuer.example';
const FUTURE = signerOf('not active yet', 'future');
const PAST = signerOf('no longer active', 'past');
const RETIRED = signerOf('retired', 'retired');
/** The same kid under another issuer, with another key. */
const OTHER = signerOf('other issuer', KID);
const STRANGER = signerOf('on no list', 'stranger');

const TRUST = trustIndex([
  trustedIssuer({
    audiences: ['pharmacy-network'],
    keys: [
      trustedKey(SIGNER),
      trustedKey(FUTURE, { nbf: NOW_SECONDS + 1 }),
      trustedKey(PAST, { exp: NOW_SECONDS }),
      trustedKey(RETIRED, { retired: true }),
    ],
  }),
  trustedIssuer({ iss: OTHER_ISS, keys: [trustedKey(OTHER, { iss: OTHER_ISS })] }),
  trustedIssuer({ iss: PROOF_ISS, keys: [trustedKey(SIGNER, { iss: PROOF_ISS })], holderProof: 'required' }),
]);

const STATUSES: Readonly<Record<string, CardStatus | 'unreadable'>> = {
  'card-revoked': 'revoked',
  'card-suspended': 'suspended',
  'card-unreadable': 'unreadable',
};

interface World extends Partial<GatewayParts> {
  readonly engine: SignatureEngine;
}

function partsOf(world: World): GatewayParts {
  return {
    clock: { wallMs: () => NOW_SECONDS * 1000, monotonicMs: () => 0 },
    trust: () => TRUST,
    trustIsStale: () => false,
    noteUnknownKey: () => {},
    cardStatus: (iss, jti) => (iss === ISS ? (STATUSES[jti] ?? 'active') : 'active'),
    revocationIsExpired: () => false,
    acceptTestCredentials: false,
    proofWindowSeconds: 60,
    replay: replayGuard(),
    ...world,
  };
}

function verifyOne(text: string, world: World, audience?: string): Verification {
  const request = audience === undefined ? { credential: text } : { credential: text, audience };
  const [verification] = verifyCredentials([request], partsOf(world));
  return verification as Verification;
}

const claims = (more: Record<string, unknown>): Credential => ({ payload: goodClaims(more) });

/** One text for each reason that a list in good health gives. */
const SAMPLES: readonly (readonly [reason: Reason, what: string, text: string])[] = [
  ['ok', 'a good one', credential()],
  ['ok', 'one bound to the network', credential(claims({ aud: 'pharmacy-network' }))],
  ['ok', 'one of the other issuer', credential({ ...claims({ iss: OTHER_ISS }), signer: OTHER })],
  ['malformed', 'nothing', ''],
  ['malformed', 'no credential', 'hello'],
  ['malformed', 'a jti that is no text', credential(claims({ jti: 1 }))],
  ['malformed', 'no exp', credential(claims({ exp: undefined }))],
  ['malformed', 'one above the length', `${credential()}${'A'.repeat(LIMITS.credentialChars)}`],
  ['alg_not_allowed', 'alg none', credential({ header: { alg: 'none' } })],
  ['crit_unsupported', 'crit', credential({ header: { crit: ['x'] } })],
  ['unknown_issuer', 'a stranger', credential({ ...claims({ iss: 'https://nobody.example' }) })],
  ['unknown_issuer', 'the empty issuer', credential(claims({ iss: '' }))],
  ['unknown_issuer', '__proto__', credential(claims({ iss: '__proto__' }))],
  ['unknown_key', 'a kid on no list', credential({ signer: STRANGER })],
  ['unknown_key', '__proto__', credential({ header: { kid: '__proto__' } })],
  ['unknown_key', "another issuer's kid", credential({ ...claims({ iss: OTHER_ISS }), signer: FUTURE })],
  ['key_not_active', 'a key of tomorrow', credential({ signer: FUTURE })],
  ['key_not_active', 'a key of yesterday', credential({ signer: PAST })],
  ['key_not_active', 'a retired key', credential({ signer: RETIRED })],
  ['bad_signature', 'one bit turned', tampered(credential())],
  ['bad_signature', 'the kid of one issuer, the key of another', credential({ signer: OTHER })],
  ['bad_signature', 'a forged exp', tampered(credential(claims({ exp: 1 })))],
  ['not_yet_valid', 'a later nbf', credential(claims({ nbf: NOW_SECONDS + 31 }))],
  ['expired', 'an earlier exp', credential(claims({ exp: NOW_SECONDS - 30 }))],
  ['audience_mismatch', 'bound to another', credential(claims({ aud: 'elsewhere' }))],
  ['test_credential', 'a test credential', credential(claims({ test: true }))],
  ['holder_proof_missing', 'an issuer that wants proof', credential(claims({ iss: PROOF_ISS }))],
  ['revoked', 'a revoked card', credential(claims({ jti: 'card-revoked' }))],
  ['suspended', 'a suspended card', credential(claims({ jti: 'card-suspended' }))],
  ['revocation_stale', 'an unreadable status', credential(claims({ jti: 'card-unreadable' }))],
];

describe.each(enginesUnderTest())('$name', (engine) => {
  it.each(SAMPLES)('%s: %s', (reason, _what, text) => {
    expect(verifyOne(text, { engine }).reason).toBe(reason);
  });

  it('keys_stale: no list at all, and a list beyond its age', () => {
    const none = verifyOne(credential(), { engine, trust: () => undefined });
    expect(none).toMatchObject({ reason: 'keys_stale', signatureHolds: false });
    expect([none.key, none.trustListVersion]).toEqual([undefined, undefined]);
    const stale = verifyOne(credential(), { engine, trustIsStale: () => true });
    expect(stale).toMatchObject({ reason: 'keys_stale', signatureHolds: false, trustListVersion: 7 });
  });

  it('revocation_stale: knowledge beyond its age hides no known revocation and shows no good card', () => {
    const world = { engine, revocationIsExpired: () => true };
    expect(verifyOne(credential(), world).reason).toBe('revocation_stale');
    expect(verifyOne(credential(claims({ jti: 'card-revoked' })), world).reason).toBe('revoked');
    expect(verifyOne(credential(claims({ jti: 'card-suspended' })), world).reason).toBe('suspended');
  });

  it('a test credential is good where test credentials are', () => {
    const text = credential(claims({ test: true }));
    expect(verifyOne(text, { engine, acceptTestCredentials: true }).reason).toBe('ok');
  });

  it("the call's audience counts, not the issuer's, when the call names one", () => {
    const text = credential(claims({ aud: 'pharmacy-network' }));
    expect(verifyOne(text, { engine }, 'pharmacy-network').reason).toBe('ok');
    expect(verifyOne(text, { engine }, 'another').reason).toBe('audience_mismatch');
    expect(verifyOne(credential(), { engine }, 'another').reason).toBe('ok');
  });

  it('what is said beside the reason: key and list as far as found, trust only in what was signed', () => {
    expect(verifyOne(credential(), { engine })).toMatchObject({
      signatureHolds: true,
      trustListVersion: 7,
      key: { kid: KID },
      credential: { iss: ISS, claims: goodClaims() },
    });
    const forged = verifyOne(tampered(credential()), { engine });
    expect(forged).toMatchObject({ signatureHolds: false, key: { kid: KID }, trustListVersion: 7 });
    const unknown = verifyOne(credential({ signer: STRANGER }), { engine });
    expect(unknown).toMatchObject({ signatureHolds: false, trustListVersion: 7 });
    expect(unknown.key).toBeUndefined();
    const malformed = verifyOne('x', { engine });
    expect(malformed).toEqual({
      reason: 'malformed',
      signatureHolds: false,
      proofHolds: false,
      trustListVersion: 7,
    });
    const claimless = verifyOne(credential(claims({ jti: 1 })), { engine });
    expect(claimless).toMatchObject({ reason: 'malformed', signatureHolds: true });
  });

  describe('the first failing stage gives the reason', () => {
    /** Everything wrong at once; each step mends the first fault that is left. */
    const everything = {
      iss: 'https://nobody.example',
      jti: 'card-revoked',
      aud: 'elsewhere',
      test: true,
      exp: 'soon' as unknown,
      nbf: NOW_SECONDS + 99,
    };
    const listed = trustIndex([
      trustedIssuer({
        holderProof: 'required',
        keys: [trustedKey(RETIRED, { retired: true }), trustedKey(SIGNER)],
      }),
    ]);
    const world = { engine, trust: () => listed, revocationIsExpired: () => true };
    const stale = { ...world, trustIsStale: () => true };
    const broken = (payload: object, signer = SIGNER, header = {}): string =>
      tampered(credential({ payload, signer, header }));
    const known = { ...everything, iss: ISS };
    const dated = { ...known, exp: NOW_SECONDS - 99 };

    it.each([
      ['malformed', '', stale],
      ['alg_not_allowed', broken(everything, STRANGER, { alg: 'none', crit: ['x'] }), stale],
      ['crit_unsupported', broken(everything, STRANGER, { crit: ['x'] }), stale],
      ['unknown_issuer', broken(everything, STRANGER), stale],
      ['unknown_key', broken(known, STRANGER), stale],
      ['key_not_active', broken(known, RETIRED), stale],
      ['keys_stale', broken(known), stale],
      ['bad_signature', broken(known), world],
      ['malformed', credential({ payload: known }), world],
      ['not_yet_valid', credential({ payload: dated }), world],
      ['expired', credential({ payload: { ...dated, nbf: undefined } }), world],
      ['audience_mismatch', credential(claims({ jti: 'card-revoked', aud: 'elsewhere', test: true })), world],
      ['test_credential', credential(claims({ jti: 'card-revoked', test: true })), world],
      ['holder_proof_missing', credential(claims({ jti: 'card-revoked' })), world],
      ['revoked', credential(claims({ jti: 'card-revoked' })), { ...world, trust: () => TRUST }],
      ['revocation_stale', credential(), { ...world, trust: () => TRUST }],
    ] as const)('%s', (reason, text, around) => {
      expect(verifyOne(text, around).reason).toBe(reason);
    });
  });

  it('asks for a refresh for each unknown key of a known issuer, and for nothing else', () => {
    const noted: [string, string][] = [];
    const world = { engine, noteUnknownKey: (iss: string, kid: string) => void noted.push([iss, kid]) };
    verifyCredentials(
      SAMPLES.map(([, , text]) => ({ credential: text })),
      partsOf(world),
    );
    expect(noted).toEqual([
      [ISS, 'stranger'],
      [ISS, '__proto__'],
      [OTHER_ISS, 'future'],
    ]);
  });

  it('asks the engine once for a batch, and only about credentials that have a key', () => {
    const calls: (readonly SignatureCheck[])[] = [];
    const { verifyPacked, ...others } = engine;
    const watched: SignatureEngine = {
      ...others,
      verify: (checks) => {
        calls.push(checks);
        return engine.verify(checks);
      },
    };
    verifyCredentials(
      SAMPLES.map(([, , text]) => ({ credential: text })),
      partsOf({ engine: watched }),
    );
    const keyless = [
      'alg_not_allowed',
      'crit_unsupported',
      'unknown_issuer',
      'unknown_key',
      'key_not_active',
    ];
    const unread = SAMPLES.filter(
      ([reason, what]) => keyless.includes(reason) || /nothing|no credential|above/.test(what),
    );
    expect(calls.map((checks) => checks.length)).toEqual([SAMPLES.length - unread.length]);
  });

  it('asks for a status only when everything before it holds', () => {
    const asked: string[] = [];
    const world = {
      engine,
      cardStatus: (_iss: string, jti: string): CardStatus | 'unreadable' => {
        asked.push(jti);
        return 'active';
      },
    };
    verifyCredentials(
      SAMPLES.map(([, , text]) => ({ credential: text })),
      partsOf(world),
    );
    expect(asked).toEqual([
      'card-1',
      'card-1',
      'card-1',
      'card-revoked',
      'card-suspended',
      'card-unreadable',
    ]);
  });

  it('answers no items with no items', () => {
    expect(verifyCredentials([], partsOf({ engine }))).toEqual([]);
  });

  it('answers each item as it answers it alone, whatever stands beside it, in any order (property)', () => {
    const parts = partsOf({ engine });
    const alone = new Map<string, Verification>();
    const answerAlone = (request: VerificationRequest): Verification => {
      const name = JSON.stringify(request);
      const known = alone.get(name) ?? (verifyCredentials([request], parts)[0] as Verification);
      alone.set(name, known);
      return known;
    };
    const item = fc.record(
      {
        credential: fc.constantFrom(...SAMPLES.map(([, , text]) => text)),
        audience: fc.constantFrom('elsewhere', 'p'),
      },
      { requiredKeys: ['credential'] },
    );
    fc.assert(
      fc.property(fc.array(item, { maxLength: 24 }), (requests) => {
        expect(verifyCredentials(requests, parts)).toEqual(requests.map(answerAlone));
      }),
      { numRuns: engine.name === 'noble' ? 30 : 300 },
    );
  });

  it('gives one credential repeated 200 times one answer 200 times', () => {
    const requests = Array.from({ length: 200 }, () => ({ credential: credential() }));
    const reasons = verifyCredentials(requests, partsOf({ engine })).map(({ reason }) => reason);
    expect(reasons).toEqual(requests.map(() => 'ok'));
  });

  it('never throws and never says ok for a text changed in any one place (property)', () => {
    const text = credential();
    const symbol = fc.constantFrom(...'ABCDwxyz0189-_.= ~', '\u0131');
    fc.assert(
      fc.property(fc.nat({ max: text.length - 1 }), symbol, (at, put) => {
        fc.pre(text[at] !== put);
        const changed = text.slice(0, at) + put + text.slice(at + 1);
        expect(verifyOne(changed, { engine })).not.toMatchObject({ signatureHolds: true });
      }),
      { numRuns: engine.name === 'noble' ? 100 : 1_000 },
    );
  });
});

describe('the clock', () => {
  const [engine] = enginesUnderTest() as [SignatureEngine];

  it('judges a key at the time of checking, without tolerance', () => {
    const keyed = (more: { nbf?: number; exp?: number }): TrustIndex =>
      trustIndex([trustedIssuer({ keys: [trustedKey(SIGNER, more)] })]);
    const reasonWith = (more: { nbf?: number; exp?: number }): Reason =>
      verifyOne(credential(claims({ iat: NOW_SECONDS - 3_600 })), { engine, trust: () => keyed(more) })
        .reason;
    expect(reasonWith({ nbf: NOW_SECONDS })).toBe('ok');
    expect(reasonWith({ nbf: NOW_SECONDS + 0.001 })).toBe('key_not_active');
    expect(reasonWith({ exp: NOW_SECONDS + 0.001 })).toBe('ok');
    expect(reasonWith({ exp: NOW_SECONDS })).toBe('key_not_active');
  });

  it('is read once for a whole slice: neighbours share one instant', () => {
    let reads = 0;
    const clock = { wallMs: () => (NOW_SECONDS + 1_000 * reads++) * 1000, monotonicMs: () => 0 };
    const text = credential(claims({ exp: NOW_SECONDS }));
    const requests = [{ credential: text }, { credential: text }];
    const answers = verifyCredentials(requests, partsOf({ engine, clock }));
    expect(answers.map(({ reason }) => reason)).toEqual(['ok', 'ok']);
    expect(verifyCredentials(requests, partsOf({ engine, clock }))[0]?.reason).toBe('expired');
  });
});
