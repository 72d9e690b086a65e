/** Presentations are judged alike alone, in bulk, at any place of a slice and beside anything; no changed byte is valid. */
import { describe, expect, it } from 'vitest';
import {
  type GatewayParts,
  type VerificationRequest,
  verifyCredentials,
  verifySlice,
} from '../../src/gateway.ts';
import { createAnswerWriter } from '../../src/ingress/answer-writer.ts';
import { renderTail, renderVerification } from '../../src/ingress/verdict-reply.ts';
import { NO_PAIR } from '../../src/native/addon.ts';
import { ROW_WORDS } from '../../src/native/fields.ts';
import { CODES } from '../../src/verdict.ts';
import { beginSlice, createSlice, type Slice, sliceOf } from '../../src/verification/slice.ts';
import { enginesUnderTest } from '../signature/engines.ts';
import { createRandom, type Random } from '../signature/fuzz-cases.ts';
import { nativeAddon, STATUSES } from '../support/path-world.ts';
import { heldCredential, holderProof, PHARMACY, type Proof } from '../support/presentation.ts';
import {
  NETWORK,
  NO_PROOF_ISS,
  presentationParts,
  RIGHTS_ISS,
  STRICT_ISS,
} from '../support/presentation-world.ts';
import { ISS, NOW_SECONDS, SIGNER, signerOf, tampered } from '../support/synthetic-issuer.ts';

const TAIL = renderTail({ revocation: { state: 'fresh', seq: 3, ageMs: 4 }, checkedAt: new Date(0) });
const addon = nativeAddon();

let drawn = 0;

/** None equal to another: replays are another test's subject. */
function drawPresentation(random: Random): VerificationRequest {
  const rarely = <T>(usual: T, ...others: T[]): T => (random.below(6) === 0 ? random.pick(others) : usual);
  const credential = heldCredential({
    iss: random.pick([ISS, STRICT_ISS, NO_PROOF_ISS, RIGHTS_ISS]),
    jti: random.below(3) === 0 ? random.pick(Object.keys(STATUSES)) : 'card-1',
    aud: rarely<unknown>(undefined, PHARMACY, 'elsewhere', 1),
    exp: rarely(NOW_SECONDS + 60, 1),
    test: rarely(false, true),
    rights: rarely({ from: '2026-01-01', until: '2026-12-31' }, undefined, { from: 'x' }),
    ...(random.below(8) === 0 && { cnf: random.pick([undefined, null, { jwk: {} }, { jwk: 7 }]) }),
    ...(random.below(8) === 0 && { escaped: '"' }),
    id: drawn++,
  });
  const proof: Proof = {
    holder: rarely(signerOf('holder 1'), SIGNER),
    header: rarely({}, { typ: 'JWT' }, { alg: 'Ed25519' }, { kid: 'k' }),
    claims: rarely({}, { iat: 0 }, { aud: NETWORK }, { nonce: 'other' }, { sd_hash: '' }, { x: '💊' }),
  };
  const shown = random.below(12) === 0 ? tampered(credential) : credential;
  const text = holderProof(credential, proof);
  return {
    credential: shown,
    holderProof: random.below(4) === 0 ? undefined : rarely(text, tampered(text), '', 'a.b.c'),
    audience: random.below(4) === 0 ? random.pick([PHARMACY, NETWORK]) : undefined,
    nonce: random.below(6) === 0 ? 'nonce of the phone' : undefined,
  };
}

/** As ingress places them, in a slice that is used again. */
function place(slice: Slice, requests: readonly VerificationRequest[]): void {
  const own = sliceOf(requests);
  beginSlice(slice, own.texts, own.count, own.proofCount);
  for (const name of ['starts', 'ends', 'proofStarts', 'proofEnds'] as const) slice[name].set(own[name]);
  slice.audiences = requests.map(({ audience }) => audience);
  slice.nonces = requests.map(({ nonce }) => nonce);
}

function answersOf(slice: Slice, scope: ReturnType<typeof verifySlice>): string[] {
  const { bytes, ends } = createAnswerWriter(slice.count, addon).write(slice, scope, TAIL);
  return Array.from({ length: slice.count }, (_, i) =>
    bytes.toString('utf8', i === 0 ? 0 : ends[i - 1], ends[i]),
  );
}

const decodedIn = (slice: Slice): number =>
  Array.from({ length: slice.count }, (_, i) => slice.rows[i * ROW_WORDS]).filter((pair) => pair !== NO_PAIR)
    .length;

describe('random presentations', () => {
  it.each([1, 2, 3, 4])('have the same answers in bulk as alone (seed %i)', (seed) => {
    const random = createRandom(seed);
    const parts = presentationParts(addon);
    const slice = createSlice(48);
    const seen = new Set<string>();
    let decoded = 0;
    for (let round = 0; round < 8; round++) {
      const requests = Array.from({ length: 1 + random.below(48) }, () => drawPresentation(random));
      place(slice, requests);
      const scope = verifySlice(slice, parts, parts.trust());
      const alone = requests.flatMap((request) => verifyCredentials([request], presentationParts(undefined)));
      expect(answersOf(slice, scope)).toEqual(alone.map((result) => renderVerification(result, TAIL)));
      for (const { reason } of alone) seen.add(reason);
      decoded += decodedIn(slice);
    }
    expect(decoded).toBeGreaterThan(50);
    for (const reason of [
      'ok',
      'holder_proof_invalid',
      'holder_proof_missing',
      'rights_not_open',
      'revoked',
    ]) {
      expect([...seen]).toContain(reason);
    }
  });

  it.each(enginesUnderTest())('have on $name the answers of node:crypto', (engine) => {
    const random = createRandom(7);
    const requests = Array.from({ length: 40 }, () => drawPresentation(random));
    const by = (more: Partial<GatewayParts>) =>
      verifyCredentials(requests, presentationParts(undefined, more)).map(({ reason }) => reason);
    expect(by({ engine })).toEqual(by({}));
  });

  it('keep no key of a holder prepared, and count none as missing', () => {
    for (const engine of enginesUnderTest()) {
      const parts = presentationParts(undefined, { engine });
      const show = (i: number) => {
        const holder = signerOf(`passing holder ${i}`);
        const credential = heldCredential({
          cnf: { jwk: { kty: 'OKP', crv: 'Ed25519', x: holder.x } },
          jti: `card of ${i}`,
        });
        return verifyCredentials(
          [{ credential, holderProof: holderProof(credential, { holder }) }],
          parts,
        )[0];
      };
      expect(show(0)?.reason).toBe('ok');
      const { keys, misses } = engine.keyCache;
      for (let i = 1; i < 6; i++) expect(show(i)?.reason).toBe('ok');
      expect(engine.keyCache.keys).toBe(keys);
      // The issuer's own key is one that the unprepared ways of the native engine miss each time.
      expect(engine.keyCache.misses - misses).toBeLessThanOrEqual(5);
    }
  });
});

describe('a changed byte', () => {
  it.each([
    ['by native code', addon],
    ['by the reference', undefined],
  ])('of a valid presentation makes it anything but valid (%s)', (_how, withAddon) => {
    const random = createRandom(11);
    const parts = presentationParts(withAddon);
    const credential = heldCredential({ iss: STRICT_ISS });
    const proof = holderProof(credential);
    const slice = createSlice(256);
    // Learnt first, so that native code decodes what it can.
    place(slice, [{ credential, holderProof: proof }]);
    verifySlice(slice, parts, parts.trust());
    expect(slice.reasons[0]).toBe(CODES.ok);
    const texts = { credential, holderProof: proof };
    const changed: VerificationRequest[] = [];
    for (const member of ['credential', 'holderProof'] as const) {
      const text = texts[member];
      for (let at = 0; at < text.length; at++) {
        for (const byte of [text.charCodeAt(at) ^ (1 << random.below(7)), 0x41 + random.below(26)]) {
          if (byte === text.charCodeAt(at)) continue;
          const mutated = text.slice(0, at) + String.fromCharCode(byte) + text.slice(at + 1);
          changed.push({ ...texts, [member]: mutated });
        }
        changed.push({ ...texts, [member]: text.slice(0, at) + text.slice(at + 1) });
      }
    }
    expect(changed.length).toBeGreaterThan(1_500);
    const reasons = new Set<number>();
    for (let from = 0; from < changed.length; from += 256) {
      const some = changed.slice(from, from + 256);
      place(slice, some);
      verifySlice(slice, parts, parts.trust());
      for (let i = 0; i < some.length; i++) reasons.add(slice.reasons[i] as number);
    }
    expect(reasons.has(CODES.ok)).toBe(false);
    expect(reasons.has(CODES.holder_proof_invalid)).toBe(true);
    // The very same is known, and only that: no changed one took its place, or was taken for it.
    expect(reasons.has(CODES.replayed)).toBe(false);
  });
});
