/**
 * The stages of holder proofs: read before the engine is asked, so that their signatures go into the same batch as the
 * credentials'; judged when all else that the issuer signed was found good. A slice without proofs passes through neither; that each is
 * accepted once is another file's subject (replays.ts).
 */
import { hash } from 'node:crypto';
import { LIMITS } from '../config.ts';
import { confirmationKey } from '../credential/confirmation.ts';
import {
  decodeHolderProof,
  type HolderProof,
  type ProofClaims,
  proofFits,
} from '../credential/holder-proof.ts';
import type { TrustedIssuer } from '../keys/trusted-key.ts';
import { NO_PLACE } from '../native/addon.ts';
import { HOLDS, PROOF_FIELDS, PROOF_ROW_WORDS } from '../native/fields.ts';
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from '../signature/rule.ts';
import { CODES } from '../verdict.ts';
import { cnfAt } from './item-claims.ts';
import { latin1, type Slice } from './slice.ts';
import { createSliceProofs, keysFor, PROOFS, type SliceProofs } from './slice-proofs.ts';
import type { TrustScope } from './trust-scope.ts';

/** Reads the proofs of items that nothing speaks against so far, and the keys with which they must be made. */
export function decodeProofs(slice: Slice, scope: TrustScope): void {
  slice.proofs ??= createSliceProofs(slice.capacity);
  const { count, reasons, proofStarts, proofs } = slice;
  const { states, placeOf, decoded } = proofs;
  states.fill(PROOFS.none, 0, count);
  let asked = 0;
  for (let i = 0; i < count; i++) {
    if (reasons[i] !== 0 || proofStarts[i] === NO_PLACE) continue;
    placeOf[i] = asked;
    decoded.items[asked++] = i;
  }
  proofs.asked = asked;
  const holderKeys = keysFor(proofs, scope).subarray(scope.publicKeys.length);
  if (scope.decodeProofs !== undefined) scope.decodeProofs(slice, asked, decoded, holderKeys);
  else for (let at = 0; at < asked; at++) decoded.rows[at * PROOF_ROW_WORDS] = 0;
  for (let at = 0; at < asked; at++) {
    const isRead = isDecoded(proofs, at) || decodeByReference(slice, proofs, at, holderKeys);
    states[decoded.items[at] as number] = isRead ? PROOFS.read : PROOFS.wrong;
  }
}

function isDecoded({ decoded }: SliceProofs, at: number): boolean {
  return decoded.rows[at * PROOF_ROW_WORDS + PROOF_FIELDS.isDecoded] === 1;
}

function decodeByReference(slice: Slice, proofs: SliceProofs, at: number, holderKeys: Uint8Array): boolean {
  const item = proofs.decoded.items[at] as number;
  const start = slice.proofStarts[item] as number;
  const end = slice.proofEnds[item] as number;
  if (end - start > LIMITS.proofChars) return false;
  const proof = decodeHolderProof(latin1(slice.texts, start, end), LIMITS.proofChars);
  if (proof === undefined) return false;
  // What the credential says is not trusted before its own signature holds; then this key is the issuer's word.
  const key = confirmationKey(cnfAt(slice, item));
  if (key === undefined) return false;
  proofs.read[at] = proof;
  proofs.decoded.signatures.set(proof.signature, SIGNATURE_BYTES * at);
  holderKeys.set(key, PUBLIC_KEY_BYTES * at);
  return true;
}

/** Where in the texts the proof's signing input ends, which begins with the proof. */
export function signingInputEnd({ proofStarts, proofs }: Slice, at: number): number {
  const { decoded, read } = proofs as SliceProofs;
  if (isDecoded(proofs as SliceProofs, at)) {
    return decoded.rows[at * PROOF_ROW_WORDS + PROOF_FIELDS.signingInputEnd] as number;
  }
  const start = proofStarts[decoded.items[at] as number] as number;
  return start + (read[at] as HolderProof).signingInputChars;
}

/** When the phone made the proof (seconds since the epoch). */
export function iatAt(proofs: SliceProofs, at: number): number {
  return isDecoded(proofs, at) ? (proofs.decoded.dates[at] as number) : (proofs.read[at] as HolderProof).iat;
}

/** Puts the checks of proofs behind the first `from` ones; returns how many checks there are then. */
export function placeProofChecks(slice: Slice, scope: TrustScope, from: number): number {
  const { proofStarts } = slice;
  const { states, asked, decoded, checks } = slice.proofs as SliceProofs;
  const { items, keyOf, messageStarts, messageEnds, packedSignatures } = checks;
  const listedKeys = scope.publicKeys.length / PUBLIC_KEY_BYTES;
  let to = from;
  for (let at = 0; at < asked; at++) {
    const item = decoded.items[at] as number;
    if (states[item] !== PROOFS.read) continue;
    items[to] = item;
    keyOf[to] = listedKeys + at;
    messageStarts[to] = proofStarts[item] as number;
    messageEnds[to] = signingInputEnd(slice, at);
    to++;
  }
  packSignatures(slice.proofs as SliceProofs, packedSignatures, from, to);
  return to;
}

/** The signatures of the proofs that are read, behind the first `from` of all. */
function packSignatures(proofs: SliceProofs, packed: Uint8Array, from: number, to: number): void {
  const { states, asked, decoded } = proofs;
  const { items, signatures } = decoded;
  if (to - from === asked) {
    packed.set(signatures.subarray(0, SIGNATURE_BYTES * asked), SIGNATURE_BYTES * from);
    return;
  }
  for (let at = 0, next = from; at < asked; at++) {
    if (states[items[at] as number] !== PROOFS.read) continue;
    packed.set(signatures.subarray(SIGNATURE_BYTES * at, SIGNATURE_BYTES * (at + 1)), SIGNATURE_BYTES * next);
    next++;
  }
}

/** The engine's word on the checks `[from, to)`, which are of proofs. */
export function settleProofChecks(proofs: SliceProofs, from: number, to: number): void {
  const { states, checks } = proofs;
  for (let at = from; at < to; at++) {
    states[checks.items[at] as number] = checks.bytes[at] === 1 ? PROOFS.signed : PROOFS.wrong;
  }
}

/**
 * The code of the reason that the proof of an item gives, or its absence; 0 when none. `nowMs`: the instant from which
 * its age is reckoned.
 */
export function judgeProof(
  slice: Slice,
  item: number,
  issuer: TrustedIssuer,
  nowMs: number,
  windowSeconds: number,
): number {
  const { proofs, holds } = slice;
  const state = slice.proofCount === 0 ? PROOFS.none : (proofs as SliceProofs).states[item];
  if (state === PROOFS.none) return issuer.holderProof === 'required' ? CODES.holder_proof_missing : 0;
  if (state !== PROOFS.signed) return CODES.holder_proof_invalid;
  const at = (proofs as SliceProofs).placeOf[item] as number;
  const fits = proofFits(claimsOf(slice, at, slice.nonces?.[item] !== undefined), {
    audience: slice.audiences?.[item],
    issuerAudiences: issuer.audiences,
    nonce: slice.nonces?.[item],
    nowSeconds: nowMs / 1000,
    windowSeconds: slice.atMs === undefined ? windowSeconds : Number.POSITIVE_INFINITY,
    aheadSeconds: slice.atMs === undefined ? LIMITS.proofAheadSeconds : Number.POSITIVE_INFINITY,
  });
  if (!fits || !isOfCredential(slice, at)) return CODES.holder_proof_invalid;
  holds[item] = (holds[item] as number) | HOLDS.holder;
  return 0;
}

/** The nonce is left out where nobody asked for one. */
function claimsOf({ proofs }: Slice, at: number, withNonce: boolean): ProofClaims {
  const { decoded, read } = proofs as SliceProofs;
  if (!isDecoded(proofs as SliceProofs, at)) return read[at] as HolderProof;
  const { rows, payloads, dates } = decoded;
  const row = at * PROOF_ROW_WORDS;
  const text = (start: number): string => payloads.toString('utf8', rows[row + start], rows[row + start + 1]);
  const nonce = withNonce ? text(PROOF_FIELDS.nonceStart) : '';
  return { aud: text(PROOF_FIELDS.audStart), nonce, iat: dates[at] as number };
}

/** Whether the proof was made for the very credential that is shown beside it (RFC 9901 section 4.3, `sd_hash`). */
function isOfCredential({ texts, starts, ends, proofs }: Slice, at: number): boolean {
  const { decoded, read } = proofs as SliceProofs;
  if (isDecoded(proofs as SliceProofs, at)) {
    return decoded.rows[at * PROOF_ROW_WORDS + PROOF_FIELDS.isOfCredential] === 1;
  }
  const item = decoded.items[at] as number;
  const digest = hash('sha256', texts.subarray(starts[item], ends[item]), 'base64url');
  return digest === (read[at] as HolderProof).sdHash;
}
