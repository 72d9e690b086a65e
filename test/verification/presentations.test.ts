/** Presentations by the path, on each real engine: policy, every mismatch, the order of reasons, and what is used up. */
import { Point } from '@noble/ed25519';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/config.ts';
import { type GatewayParts, type VerificationRequest, verifyCredentials } from '../../src/gateway.ts';
import type { Reason } from '../../src/verdict.ts';
import { smallOrderPoints } from '../keys/trust-fixtures.ts';
import { enginesUnderTest } from '../signature/engines.ts';
import { cnfOf, heldCredential, holderProof, NONCE, PHARMACY, type Proof } from '../support/presentation.ts';
import {
  NETWORK,
  NO_PROOF_ISS,
  presentationParts,
  RIGHTS_ISS,
  STRICT_ISS,
} from '../support/presentation-world.ts';
import { replayGuard } from '../support/replay-guard.ts';
import { NOW_SECONDS, SIGNER, signerOf, tampered } from '../support/synthetic-issuer.ts';

const OTHER_HOLDER = signerOf('holder 2');
const CREDENTIAL = heldCredential();
const PROOF = holderProof(CREDENTIAL);
const RIGHTS = { from: '2026-06-01', until: '2026-06-01' };

interface Asked extends VerificationRequest {
  readonly atMs?: number;
}

describe.each(enginesUnderTest())('$name', (engine) => {
  const partsWith = (more: Partial<GatewayParts> = {}) => presentationParts(undefined, { engine, ...more });
  /** Each on its own, with a guard of its own. */
  const judged = ({ atMs, ...request }: Asked, more: Partial<GatewayParts> = {}) => {
    const [one] = verifyCredentials([request], partsWith(more), atMs);
    return one as NonNullable<typeof one>;
  };
  const reasonOf = (request: Asked, more?: Partial<GatewayParts>): Reason => judged(request, more).reason;
  const madeFor = (credential: string, proof: Proof = {}): VerificationRequest => ({
    credential,
    holderProof: holderProof(credential, proof),
  });

  it('a proof that holds shows the holder, whatever the policy', () => {
    for (const iss of [undefined, STRICT_ISS, NO_PROOF_ISS]) {
      const credential = heldCredential(iss === undefined ? {} : { iss });
      expect(judged(madeFor(credential))).toMatchObject({
        reason: 'ok',
        signatureHolds: true,
        proofHolds: true,
      });
    }
  });

  it('without one the policy decides, and the answer does not name the holder', () => {
    const bare = (iss: string) => judged({ credential: heldCredential({ iss }) });
    expect(judged({ credential: CREDENTIAL })).toMatchObject({ reason: 'ok', proofHolds: false });
    expect(bare(NO_PROOF_ISS)).toMatchObject({ reason: 'ok', proofHolds: false });
    expect(bare(STRICT_ISS)).toMatchObject({ reason: 'holder_proof_missing', proofHolds: false });
    // What a call names does not make a proof necessary.
    expect(reasonOf({ credential: CREDENTIAL, nonce: 'n', audience: NETWORK })).toBe('ok');
  });

  it('a malformed cnf is no fault as long as nobody shows a proof', () => {
    for (const cnf of [null, 1, {}, { jwk: { kty: 'EC' } }]) {
      const credential = heldCredential({ cnf });
      expect(reasonOf({ credential })).toBe('ok');
      expect(reasonOf(madeFor(credential))).toBe('holder_proof_invalid');
    }
    expect(reasonOf(madeFor(heldCredential({ cnf: undefined })))).toBe('holder_proof_invalid');
  });

  it.each<[string, Proof]>([
    ['of another key', { holder: OTHER_HOLDER }],
    ["of the issuer's key", { holder: SIGNER }],
    ['for another audience', { claims: { aud: 'https://other-pharmacy.example' } }],
    ['for all audiences', { claims: { aud: [PHARMACY] } }],
    ['without audience', { claims: { aud: undefined } }],
    ['without nonce', { claims: { nonce: undefined } }],
    ['without hash', { claims: { sd_hash: undefined } }],
    ['with the hash of another credential', { claims: { sd_hash: 'A'.repeat(43) } }],
    ['with the hash, padded', { claims: { sd_hash: `${sdHash()}=` } }],
    ['without iat', { claims: { iat: undefined } }],
    ['with an iat as a text', { claims: { iat: `${NOW_SECONDS}` } }],
    ['older than the window', { claims: { iat: NOW_SECONDS - 61 } }],
    ['of later than the window', { claims: { iat: NOW_SECONDS + 61 } }],
    ['of no type', { header: '{"alg":"EdDSA"}' }],
    ['of another type', { header: { typ: 'JWT' } }],
    ['by another algorithm', { header: { alg: 'ES256' } }],
    ['by none', { header: { alg: 'none' } }],
    ['with crit', { header: { crit: ['iat'] } }],
    ['with b64', { header: { b64: true } }],
    ['that brings its own key', { header: { jwk: cnfOf().jwk } }],
    ['that points to its key', { header: { jku: 'https://keys.example' } }],
    ['that brings a certificate', { header: { x5c: ['AA'] } }],
    ['that points to a certificate', { header: { x5u: 'https://keys.example' } }],
    ['with a kid that is no text', { header: { kid: 7 } }],
    ['longer than a proof may be', { claims: { x: 'x'.repeat(LIMITS.proofChars) } }],
  ])('a proof %s is invalid', (_what, proof) => {
    const verification = judged(madeFor(CREDENTIAL, proof));
    expect(verification).toMatchObject({
      reason: 'holder_proof_invalid',
      signatureHolds: true,
      proofHolds: false,
    });
    expect(reasonOf(madeFor(heldCredential({ iss: NO_PROOF_ISS }), proof))).toBe('holder_proof_invalid');
  });

  it.each([
    ['nothing', ''],
    ['the credential again', CREDENTIAL],
    ['a proof with a bit of its signature turned', tampered(PROOF)],
    ['a proof of another presentation', holderProof(heldCredential({ jti: 'card-2' }))],
  ])('%s beside a credential is an invalid proof', (_what, proof) => {
    expect(reasonOf({ credential: CREDENTIAL, holderProof: proof })).toBe('holder_proof_invalid');
  });

  it('the window holds on both sides, to the second, and is a setting', () => {
    for (const iat of [NOW_SECONDS - 60, NOW_SECONDS + 60, NOW_SECONDS - 59.5]) {
      expect(reasonOf(madeFor(CREDENTIAL, { claims: { iat } }))).toBe('ok');
    }
    const older = madeFor(CREDENTIAL, { claims: { iat: NOW_SECONDS - 100 } });
    expect(reasonOf(older)).toBe('holder_proof_invalid');
    expect(reasonOf(older, { proofWindowSeconds: 100 })).toBe('ok');
    expect(reasonOf(older, { proofWindowSeconds: 99 })).toBe('holder_proof_invalid');
  });

  it("the call's nonce stands in place of the window", () => {
    const old = madeFor(CREDENTIAL, { claims: { iat: 0 } });
    expect(reasonOf({ ...old, nonce: NONCE })).toBe('ok');
    const ahead = (seconds: number) => ({
      ...madeFor(CREDENTIAL, { claims: { iat: NOW_SECONDS + seconds } }),
      nonce: NONCE,
    });
    expect(reasonOf(ahead(LIMITS.proofAheadSeconds))).toBe('ok');
    expect(reasonOf(ahead(LIMITS.proofAheadSeconds + 1))).toBe('holder_proof_invalid');
    expect(reasonOf({ ...old, nonce: '' })).toBe('holder_proof_invalid');
    expect(reasonOf({ ...madeFor(CREDENTIAL), nonce: `${NONCE}x` })).toBe('holder_proof_invalid');
    const far = madeFor(CREDENTIAL, { payload: `{"iat":1e999,"aud":"${PHARMACY}","nonce":"${NONCE}"}` });
    expect(reasonOf({ ...far, nonce: NONCE })).toBe('holder_proof_invalid');
  });

  it("the call's audience stands in place of the issuer's: made for one pharmacy, it is invalid at another", () => {
    const shown = madeFor(CREDENTIAL);
    expect(reasonOf({ ...shown, audience: PHARMACY })).toBe('ok');
    expect(reasonOf({ ...shown, audience: NETWORK })).toBe('holder_proof_invalid');
    const elsewhere = madeFor(CREDENTIAL, { claims: { aud: 'https://elsewhere.example' } });
    expect(reasonOf({ ...elsewhere, audience: 'https://elsewhere.example' })).toBe('ok');
  });

  it('asked about another instant, proofs are neither held to the window nor used up', () => {
    const replay = replayGuard();
    const shown = madeFor(CREDENTIAL, { claims: { iat: 5 } });
    const atMs = (NOW_SECONDS + 100) * 1000;
    const twice = [1, 2].map(() => judged({ ...shown, atMs }, { replay }));
    expect(twice.map(({ reason, proofHolds }) => [reason, proofHolds])).toEqual([
      ['ok', true],
      ['ok', true],
    ]);
    expect(replay.taken).toEqual([]);
    // All else of it is checked, and dates are judged at that instant.
    expect(reasonOf({ ...shown, nonce: 'x', atMs })).toBe('holder_proof_invalid');
    expect(reasonOf({ ...shown, audience: NETWORK, atMs })).toBe('holder_proof_invalid');
    expect(reasonOf({ ...shown, atMs: (NOW_SECONDS + 4_000) * 1000 })).toBe('expired');
  });

  it('holder keys of small order, not canonical or on no curve make no proof', () => {
    const keys = [
      ...smallOrderPoints().map((point) => Buffer.from(point.toBytes())),
      // y = 2 belongs to no point, and p + 3 is 3 spelled otherwise.
      Buffer.from([2, ...new Array(31).fill(0)]),
      Buffer.from([0xf0, ...new Array(30).fill(0xff), 0x7f]),
    ];
    for (const key of keys) {
      const credential = heldCredential({ cnf: { jwk: { ...cnfOf().jwk, x: key.toString('base64url') } } });
      expect(reasonOf(madeFor(credential))).toBe('holder_proof_invalid');
      // With S = 0 and R = A a key of small order would verify whatever is signed, half of the time or always.
      const [head, body] = holderProof(credential).split('.');
      const forged = Buffer.concat([Buffer.from(Point.ZERO.toBytes()), Buffer.alloc(32)]);
      for (const r of [...smallOrderPoints().map((point) => point.toBytes()), key]) {
        forged.set(r);
        const proof = `${head}.${body}.${forged.toString('base64url')}`;
        expect(reasonOf({ credential, holderProof: proof })).toBe('holder_proof_invalid');
      }
    }
  });

  it('a proof is accepted once; what was not accepted keeps its proof', () => {
    const replay = replayGuard();
    const shown = madeFor(CREDENTIAL);
    expect(reasonOf({ ...shown, nonce: 'another' }, { replay })).toBe('holder_proof_invalid');
    expect(reasonOf(shown, { replay, cardStatus: () => 'suspended' })).toBe('suspended');
    expect(reasonOf(shown, { replay, revocationIsExpired: () => true })).toBe('revocation_stale');
    expect(judged(shown, { replay })).toMatchObject({ reason: 'ok', proofHolds: true });
    expect(judged(shown, { replay })).toMatchObject({
      reason: 'replayed',
      signatureHolds: true,
      proofHolds: false,
    });
    // Signed again, it is the same: what was signed makes it.
    expect(reasonOf({ ...shown, nonce: NONCE }, { replay })).toBe('replayed');
    expect(reasonOf(madeFor(CREDENTIAL, { claims: { nonce: 'next' } }), { replay })).toBe('ok');
    // A credential without a proof takes nobody's place.
    expect(reasonOf({ credential: CREDENTIAL }, { replay })).toBe('ok');
  });

  it('of equal items of a batch the first is accepted', () => {
    const shown = madeFor(CREDENTIAL);
    const other = madeFor(heldCredential({ jti: 'card-2' }));
    const batch = [shown, other, shown, { credential: CREDENTIAL }, other, shown];
    const reasons = verifyCredentials(batch, partsWith()).map(({ reason }) => reason);
    expect(reasons).toEqual(['ok', 'ok', 'replayed', 'ok', 'replayed', 'replayed']);
  });

  it('a guard that is full cannot tell, and that is never valid', () => {
    const replay = replayGuard(1);
    expect(reasonOf(madeFor(CREDENTIAL), { replay })).toBe('ok');
    const next = judged(madeFor(heldCredential({ jti: 'card-2' })), { replay });
    expect(next).toMatchObject({ reason: 'overloaded', signatureHolds: true, proofHolds: false });
    expect(reasonOf({ credential: CREDENTIAL }, { replay })).toBe('ok');
  });

  it('a proof may be forgotten when it could not be accepted any more', () => {
    const replay = replayGuard();
    const ago = madeFor(CREDENTIAL, { claims: { iat: NOW_SECONDS - 20 } });
    expect(reasonOf(ago, { replay })).toBe('ok');
    const named = madeFor(heldCredential({ jti: 'card-2' }), { claims: { iat: 0 } });
    expect(reasonOf({ ...named, nonce: NONCE }, { replay })).toBe('ok');
    // At the very end of its window a proof is still good.
    expect(replay.taken).toEqual([(NOW_SECONDS + 40) * 1000 + 1, (NOW_SECONDS + 120) * 1000]);
  });

  it('rights are open from the first day to the last, in Paris, before anything is said of the holder', () => {
    const iss = RIGHTS_ISS;
    const at = (instant: string, { rights }: { rights: unknown } = { rights: RIGHTS }) =>
      reasonOf({
        ...madeFor(heldCredential({ iss, rights, exp: 2 ** 40, aud: PHARMACY })),
        atMs: Date.parse(instant),
      });
    expect(at('2026-05-31T21:59:59.999Z')).toBe('rights_not_open');
    expect(at('2026-05-31T22:00:00Z')).toBe('ok');
    expect(at('2026-06-01T21:59:59.999Z')).toBe('ok');
    expect(at('2026-06-01T22:00:00Z')).toBe('rights_not_open');
    for (const rights of [undefined, null, {}, { from: '2026-06-01' }, { ...RIGHTS, until: 'x' }]) {
      expect(at('2026-06-01T12:00:00Z', { rights })).toBe('rights_not_open');
    }
    expect(reasonOf({ credential: heldCredential({ iss, rights: RIGHTS }) })).toBe('holder_proof_missing');
    // Where the policy does not look at them, they say nothing.
    expect(reasonOf({ credential: heldCredential({ rights: { from: 'x' } }) })).toBe('ok');
  });

  it('the first fault gives the reason: dates, audience, rights, test, holder, status, replay', () => {
    const replay = replayGuard();
    const faults: [Reason, Record<string, unknown>][] = [
      ['expired', { exp: NOW_SECONDS - 60 }],
      ['audience_mismatch', { aud: 'elsewhere' }],
      ['rights_not_open', { rights: undefined }],
      ['test_credential', { test: true }],
    ];
    const ofStatus = { cardStatus: () => 'revoked' as const, replay };
    let claims: Record<string, unknown> = { iss: RIGHTS_ISS, rights: RIGHTS };
    expect(reasonOf(madeFor(heldCredential(claims)), { replay })).toBe('ok');
    expect(reasonOf(madeFor(heldCredential(claims)), { replay })).toBe('replayed');
    expect(reasonOf(madeFor(heldCredential(claims)), ofStatus)).toBe('revoked');
    const stolen = { holder: OTHER_HOLDER };
    expect(reasonOf(madeFor(heldCredential(claims), stolen), ofStatus)).toBe('holder_proof_invalid');
    expect(reasonOf({ credential: heldCredential(claims) }, ofStatus)).toBe('holder_proof_missing');
    for (const [reason, fault] of faults.toReversed()) {
      claims = { ...claims, ...fault };
      expect(reasonOf(madeFor(heldCredential(claims), stolen), ofStatus)).toBe(reason);
      expect(reasonOf({ credential: heldCredential(claims) }, ofStatus)).toBe(reason);
    }
    const forged = tampered(heldCredential(claims));
    expect(reasonOf(madeFor(forged, stolen), ofStatus)).toBe('bad_signature');
  });
});

/** That of `CREDENTIAL`, known before it is. */
function sdHash(): string {
  const [, body] = holderProof(heldCredential()).split('.') as [string, string];
  return JSON.parse(Buffer.from(body, 'base64url').toString()).sd_hash;
}
