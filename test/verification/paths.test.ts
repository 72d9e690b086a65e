/** The path with the native code that works in bulk, against the reference alone: the same reasons, the same bytes. */
import { describe, expect, it } from 'vitest';
import { verifyCredentials, verifySlice } from '../../src/gateway.ts';
import { createAnswerWriter } from '../../src/ingress/answer-writer.ts';
import { renderTail, renderVerification } from '../../src/ingress/verdict-reply.ts';
import { NO_PAIR } from '../../src/native/addon.ts';
import { ROW_WORDS } from '../../src/native/fields.ts';
import { beginSlice, createSlice, type Slice } from '../../src/verification/slice.ts';
import { drawSigningInput, mutateBytes } from '../credential/credential-cases.ts';
import { createRandom, type Random } from '../signature/fuzz-cases.ts';
import {
  nativeAddon,
  OTHER,
  OTHER_ISS,
  PROOF_ISS,
  pathParts,
  RETIRED,
  STATUSES,
  STRANGER,
  SUPERSEDES,
} from '../support/path-world.ts';
import {
  credential,
  goodClaims,
  ISS,
  KID,
  NOW_SECONDS,
  SIGNER,
  sealed,
  signerOf,
  tampered,
  trustedIssuer,
  trustedKey,
  trustIndex,
} from '../support/synthetic-issuer.ts';

const TAIL = renderTail({ revocation: { state: 'fresh', seq: 3, ageMs: 4 }, checkedAt: new Date(0) });
const ISSUERS = [ISS, OTHER_ISS, PROOF_ISS, 'https://nobody.example'];
const SUBS = [undefined, ...Object.keys(SUPERSEDES), 'holder-1', 'holder-2', 'Åse 💊', 'with "quotes"', 7];
const INSTANTS = [undefined, ...[0, -99, -99.5, -99.75, -100, -100.25, -101].map((ago) => NOW_SECONDS + ago)];
const AUDIENCES = [undefined, 'pharmacy-network', 'other'];

/** Whose signature each header is made with, the right one or not. */
const HEADERS = [
  { header: `{"alg":"EdDSA","kid":"${KID}"}`, signers: [SIGNER, OTHER] },
  { header: `{"typ":"JWT","alg":"Ed25519","kid":"${KID}"}`, signers: [SIGNER] },
  { header: '{"alg":"EdDSA","kid":"retired"}', signers: [RETIRED] },
  { header: '{"alg":"EdDSA","kid":"stranger"}', signers: [STRANGER] },
  { header: `{"alg":"none","kid":"${KID}"}`, signers: [SIGNER] },
];

function drawCredential(random: Random): Buffer {
  const { header, signers } = random.pick(random.below(3) === 0 ? HEADERS : HEADERS.slice(0, 2));
  let text: string;
  if (random.below(3) === 0) {
    const jti = random.pick([...Object.keys(STATUSES), 'card-1', 'card-2']);
    const holder = { sub: random.pick(SUBS), iat: random.pick(INSTANTS) };
    const payload = goodClaims({ jti, iss: random.pick(ISSUERS), aud: random.pick(AUDIENCES), ...holder });
    text = credential({ header, payload, signer: random.pick(signers) });
  } else {
    text = sealed(drawSigningInput(random, header, { issuers: ISSUERS }), random.pick(signers));
  }
  if (random.below(12) === 0) text = tampered(text);
  const bytes = Buffer.from(text);
  return random.below(12) === 0 ? mutateBytes(random, bytes) : bytes;
}

function sliceOf(texts: readonly Buffer[], slice = createSlice(texts.length)): Slice {
  beginSlice(slice, Buffer.concat(texts), texts.length);
  let at = 0;
  for (const [i, { length }] of texts.entries()) {
    slice.starts[i] = at;
    at += length;
    slice.ends[i] = at;
  }
  return slice;
}

/** How many rows native code filled. */
function decodedIn(slice: Slice): number {
  return Array.from({ length: slice.count }, (_, i) => slice.rows[i * ROW_WORDS]).filter(
    (pair) => pair !== NO_PAIR,
  ).length;
}

const addon = nativeAddon();
const reference = pathParts(undefined);

function expectedOf(texts: readonly Buffer[], parts = reference): { reasons: string[]; answers: string[] } {
  // Latin-1 as a bare body is read; no such text is base64url beyond ASCII.
  const results = verifyCredentials(
    texts.map((text) => ({ credential: text.toString('latin1') })),
    parts,
  );
  return {
    reasons: results.map(({ reason }) => reason),
    answers: results.map((result) => renderVerification(result, TAIL)),
  };
}

function answersOf(slice: Slice, scope: ReturnType<typeof verifySlice>): string[] {
  const { bytes, ends } = createAnswerWriter(slice.count, addon).write(slice, scope, TAIL);
  return Array.from({ length: slice.count }, (_, i) =>
    bytes.toString('utf8', i === 0 ? 0 : ends[i - 1], ends[i]),
  );
}

describe('random credentials', () => {
  it.each([1, 2, 3])('have the same answers in bulk as alone, learnt or not (seed %i)', (seed) => {
    const random = createRandom(seed);
    const parts = pathParts(addon);
    const shared = createSlice(64);
    const seen = new Set<string>();
    let decoded = 0;
    for (let round = 0; round < 12; round++) {
      const texts = Array.from({ length: 1 + random.below(64) }, () => drawCredential(random));
      const slice = sliceOf(texts, shared);
      const scope = verifySlice(slice, parts, parts.trust());
      const { reasons, answers } = expectedOf(texts);
      expect(answersOf(slice, scope)).toEqual(answers);
      for (const reason of reasons) seen.add(reason);
      decoded += decodedIn(slice);
    }
    expect(decoded).toBeGreaterThan(50);
    for (const reason of [
      'ok',
      'revoked',
      'revocation_stale',
      'malformed',
      'bad_signature',
      'key_not_active',
      'holder_proof_missing',
      'expired',
    ]) {
      expect([...seen]).toContain(reason);
    }
  });

  it.each([
    ['before the first list', { trust: () => undefined }],
    ['with a list too old', { trustIsStale: () => true }],
    ['with revocation knowledge too old', { revocationIsExpired: () => true }],
    ['where test credentials are accepted', { acceptTestCredentials: true }],
  ])('likewise %s', (_what, more) => {
    const random = createRandom(4);
    const parts = pathParts(addon);
    verifySlice(sliceOf(Array.from({ length: 30 }, () => drawCredential(random))), parts, parts.trust());
    const texts = Array.from({ length: 60 }, () => drawCredential(random));
    const slice = sliceOf(texts);
    const scope = verifySlice(slice, { ...parts, ...more }, { ...parts, ...more }.trust());
    expect(answersOf(slice, scope)).toEqual(expectedOf(texts, { ...reference, ...more }).answers);
  });
});

/** Verified twice, so that the second time native code decodes it; its reason, and whether it did. */
function judged(texts: readonly string[], parts = pathParts(addon)) {
  const buffers = texts.map((text) => Buffer.from(text));
  verifySlice(sliceOf(buffers), parts, parts.trust());
  const slice = sliceOf(buffers);
  const scope = verifySlice(slice, parts, parts.trust());
  const reasons = answersOf(slice, scope).map((answer) => JSON.parse(answer).reason);
  return { reasons, decoded: decodedIn(slice) };
}

describe('what was learnt', () => {
  it('goes with its list: a kid that moves to another key, or a key that is retired, is judged by the new list', () => {
    const moved = signerOf('another key', KID);
    const lists = [
      trustIndex([trustedIssuer()], 1),
      trustIndex([trustedIssuer({ keys: [trustedKey(moved)] })], 2),
      trustIndex([trustedIssuer({ keys: [trustedKey(moved, { retired: true })] })], 3),
      trustIndex([trustedIssuer({ keys: [trustedKey(moved, { nbf: NOW_SECONDS + 1 })] })], 4),
      trustIndex([trustedIssuer({ iss: OTHER_ISS, keys: [trustedKey(OTHER, { iss: OTHER_ISS })] })], 5),
    ];
    const texts = [credential(), credential({ signer: moved })];
    let list = lists[0];
    const parts = pathParts(addon, { trust: () => list });
    const verdicts = lists.map((next) => {
      list = next;
      return judged(texts, parts).reasons;
    });
    expect(verdicts).toEqual([
      ['ok', 'bad_signature'],
      ['bad_signature', 'ok'],
      ['key_not_active', 'key_not_active'],
      ['key_not_active', 'key_not_active'],
      ['unknown_issuer', 'unknown_issuer'],
    ]);
    // A batch that began with the first list goes on with it.
    const slice = sliceOf(texts.map((text) => Buffer.from(text)));
    const scope = verifySlice(slice, parts, lists[0]);
    expect(decodedIn(slice)).toBe(2);
    expect(
      answersOf(slice, scope).map((answer) => [JSON.parse(answer).reason, JSON.parse(answer).key.set]),
    ).toEqual([
      ['ok', 1],
      ['bad_signature', 1],
    ]);
  });

  it('comes from signatures that hold alone', () => {
    const parts = pathParts(addon);
    expect(judged([tampered(credential())], parts)).toEqual({ reasons: ['bad_signature'], decoded: 0 });
    expect(judged([credential()], parts)).toEqual({ reasons: ['ok'], decoded: 1 });
    expect(judged([tampered(credential())], parts)).toEqual({ reasons: ['bad_signature'], decoded: 1 });
  });

  it('never lends one issuer the key of another, also where a name is no Unicode text', () => {
    const lone = 'https://\ud800.example';
    const trust = trustIndex([trustedIssuer({ iss: lone, keys: [trustedKey(SIGNER, { iss: lone })] })]);
    const parts = pathParts(addon, { trust: () => trust });
    const escaped = credential({ payload: JSON.stringify(goodClaims({ iss: lone })) });
    const replaced = credential({ payload: goodClaims({ iss: 'https://\ufffd.example' }) });
    expect(judged([escaped, replaced], parts).reasons).toEqual(['ok', 'unknown_issuer']);
  });
});

describe('size', () => {
  it('a slice of credentials larger than its room for payloads is judged alike, the rest by the reference', () => {
    const large = Array.from({ length: 24 }, (_, i) =>
      credential({ payload: goodClaims({ filler: `${i}`.repeat(20_000) }) }),
    );
    const { reasons, decoded } = judged(large);
    expect(new Set(reasons)).toEqual(new Set(['ok']));
    expect(decoded).toBeGreaterThan(0);
    expect(decoded).toBeLessThan(large.length);
  });

  it('the longest credential is judged, one longer by a character is malformed', () => {
    // 64 Ki characters less header, dots and signature; three bytes of payload are four characters.
    const sized = (fill: number) => credential({ payload: goodClaims({ filler: 'x'.repeat(fill) }) });
    const spare = 64 * 1024 - sized(0).length;
    const longest = sized(Math.floor((spare * 3) / 4));
    const longer = sized(Math.floor((spare * 3) / 4) + 2);
    expect(longest.length).toBeLessThanOrEqual(64 * 1024);
    expect(longer.length).toBeGreaterThan(64 * 1024);
    expect(judged([credential(), longest, longer]).reasons).toEqual(['ok', 'ok', 'malformed']);
  });
});
