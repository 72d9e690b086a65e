/**
 * The stages of holder proofs: read before the engine is asked, so that their signatures go into the same batch as the
 * credentials'; judged when all else that the issuer signed was found good; used up when the card is, too. A slice
 * without proofs passes through none of them.
 */
import { hash } from 'node:crypto';
import { LIMITS } from '../config.ts';
import { confirmationKey } from '../credential/confirmation.ts';
import { decodeHolderProof, type HolderProof, proofFits } from '../credential/holder-proof.ts';
import type { TrustedIssuer } from '../keys/trusted-key.ts';
import { NO_PLACE } from '../native/addon.ts';
import { HOLDS } from '../native/fields.ts';
import type { ReplayGuard } from '../replay/replay-guard.ts';
import { CODES } from '../verdict.ts';
import { SIGNATURE_BYTES } from './check-arrays.ts';
import { cnfAt } from './item-claims.ts';
import { latin1, type Slice } from './slice.ts';
import { createSliceProofs, keysFor, PROOFS, PUBLIC_KEY_BYTES, type SliceProofs } from './slice-proofs.ts';
import type { TrustScope } from './trust-scope.ts';

/** Reads the proofs of items that nothing speaks against so far, and the keys with which they must be made. */
export function decodeProofs(slice: Slice, scope: TrustScope): void {
  slice.proofs ??= createSliceProofs(slice.capacity);
  const { count, reasons, proofStarts, proofs } = slice;
  const { states } = proofs;
  states.fill(PROOFS.none, 0, count);
  const keys = keysFor(proofs, scope);
  for (let i = 0; i < count; i++) {
    if (reasons[i] !== 0 || proofStarts[i] === NO_PLACE) continue;
    states[i] = decodeByReference(slice, proofs, i, keys, scope.publicKeys.length)
      ? PROOFS.read
      : PROOFS.wrong;
  }
}

function decodeByReference(
  slice: Slice,
  proofs: SliceProofs,
  item: number,
  keys: Uint8Array,
  keysStart: number,
): boolean {
  const start = slice.proofStarts[item] as number;
  const end = slice.proofEnds[item] as number;
  if (end - start > LIMITS.proofChars) return false;
  const proof = decodeHolderProof(latin1(slice.texts, start, end), LIMITS.proofChars);
  if (proof === undefined) return false;
  // What the credential says is not trusted before its own signature holds; then this key is the issuer's word.
  const key = confirmationKey(cnfAt(slice, item));
  if (key === undefined) return false;
  proofs.read[item] = proof;
  keys.set(key, keysStart + PUBLIC_KEY_BYTES * item);
  return true;
}

/** Puts the checks of proofs behind the first `from` ones; returns how many checks there are then. */
export function placeProofChecks(
  { count, proofStarts, proofs }: Slice,
  scope: TrustScope,
  from: number,
): number {
  const { states, read, checks } = proofs as SliceProofs;
  const { items, keyOf, messageStarts, messageEnds, packedSignatures } = checks;
  const listedKeys = scope.publicKeys.length / PUBLIC_KEY_BYTES;
  let at = from;
  for (let i = 0; i < count; i++) {
    if (states[i] !== PROOFS.read) continue;
    const { signingInputChars, signature } = read[i] as HolderProof;
    const start = proofStarts[i] as number;
    items[at] = i;
    keyOf[at] = listedKeys + i;
    messageStarts[at] = start;
    messageEnds[at] = start + signingInputChars;
    packedSignatures.set(signature, at * SIGNATURE_BYTES);
    at++;
  }
  return at;
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
  const { texts, starts, ends, proofs, holds } = slice;
  const state = slice.proofCount === 0 ? PROOFS.none : (proofs as SliceProofs).states[item];
  if (state === PROOFS.none) return issuer.holderProof === 'required' ? CODES.holder_proof_missing : 0;
  if (state !== PROOFS.signed) return CODES.holder_proof_invalid;
  const proof = (proofs as SliceProofs).read[item] as HolderProof;
  const fits = proofFits(proof, {
    audience: slice.audiences?.[item],
    issuerAudiences: issuer.audiences,
    nonce: slice.nonces?.[item],
    nowSeconds: nowMs / 1000,
    windowSeconds: slice.atMs === undefined ? windowSeconds : Number.POSITIVE_INFINITY,
  });
  if (!fits) return CODES.holder_proof_invalid;
  if (hash('sha256', texts.subarray(starts[item], ends[item]), 'base64url') !== proof.sdHash) {
    return CODES.holder_proof_invalid;
  }
  holds[item] = (holds[item] as number) | HOLDS.holder;
  return 0;
}

/**
 * Takes the places of the proofs of items that are good, in their order: of two equal ones the second was seen before.
 * What was found otherwise than good keeps its proof, which so can be shown again when the cause is mended.
 */
export function takeProofs(slice: Slice, guard: ReplayGuard, nowMs: number, windowSeconds: number): void {
  // Asked about another instant: nobody is at a counter.
  if (slice.atMs !== undefined) return;
  const { count, reasons, holds, texts, proofStarts, nonces } = slice;
  const { read, taken } = slice.proofs as SliceProofs;
  const windowMs = windowSeconds * 1000;
  for (let i = 0; i < count; i++) {
    if (reasons[i] !== 0 || ((holds[i] as number) & HOLDS.holder) === 0) continue;
    const { signingInputChars, iat } = read[i] as HolderProof;
    const start = proofStarts[i] as number;
    const id = guard.identify(texts.subarray(start, start + signingInputChars));
    // By the window it is accepted at its very end, so it is forgotten in the millisecond behind that.
    const expiresAtMs =
      nonces?.[i] === undefined ? Math.floor(iat * 1000 + windowMs) + 1 : nowMs + 2 * windowMs;
    const answer = guard.take(id, expiresAtMs);
    if (answer === 'first') {
      if (guard.share === undefined) continue;
      taken.items.push(i);
      taken.ids.push(id);
      taken.expiresAtMs.push(expiresAtMs);
    } else {
      reasons[i] = answer === 'seen' ? CODES.replayed : CODES.overloaded;
      holds[i] = HOLDS.issuer;
    }
  }
}

/** What the other gateways say of the proofs that were taken here. */
export function settleShared(slice: Slice, answers: readonly ('first' | 'seen')[] | 'unreachable'): void {
  const proofs = slice.proofs as SliceProofs;
  const { taken, localOnly } = proofs;
  proofs.isLocal = answers === 'unreachable';
  for (const [at, item] of taken.items.entries()) {
    if (answers === 'unreachable') localOnly[item] = 1;
    else if (answers[at] !== 'first') {
      slice.reasons[item] = CODES.replayed;
      slice.holds[item] = HOLDS.issuer;
    }
  }
}
