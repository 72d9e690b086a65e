/**
 * The last stage of holder proofs: each is accepted once. Named while its text is there, its place is taken when an answer
 * is certain, and other gateways are told.
 */
import { HOLDS } from '../native/fields.ts';
import type { ReplayGuard, ShareResult } from '../replay/replay-guard.ts';
import { CODES } from '../verdict.ts';
import { iatAt, signingInputEnd } from './proofs.ts';
import type { Slice } from './slice.ts';
import { type NamedProofs, PROOF_ID_BYTES, type SliceProofs } from './slice-proofs.ts';

/**
 * Names the proofs of items that are good, in their order, for the replay guard. What was found otherwise than good keeps
 * its proof, which so can be shown again when the cause is mended.
 */
export function nameProofs(slice: Slice, guard: ReplayGuard, nowMs: number, windowSeconds: number): void {
  // Asked about another instant: nobody is at a counter.
  if (slice.atMs !== undefined) return;
  const { count, reasons, holds, texts, proofStarts, nonces } = slice;
  const proofs = slice.proofs as SliceProofs;
  const { items, ids, expiresAtMs, starts, ends } = proofs.named;
  const windowMs = windowSeconds * 1000;
  let named = 0;
  for (let i = 0; i < count; i++) {
    if (reasons[i] !== 0 || ((holds[i] as number) & HOLDS.holder) === 0) continue;
    const at = proofs.placeOf[i] as number;
    items[named] = i;
    starts[named] = proofStarts[i] as number;
    ends[named] = signingInputEnd(slice, at);
    // By the window it is accepted at its very end, so it is forgotten in the millisecond behind that: where a nonce was
    // named now, a call that names none may bring it until then.
    const fitsUntilMs = Math.floor(iatAt(proofs, at) * 1000 + windowMs) + 1;
    expiresAtMs[named++] =
      nonces?.[i] === undefined ? fitsUntilMs : Math.max(fitsUntilMs, nowMs + 2 * windowMs);
  }
  proofs.named.count = named;
  if (named > 0) guard.identify(texts, starts, ends, named, ids);
}

/** Takes the places of the proofs that were named, at once: of two equal ones the second was seen before. */
export function takeProofs(slice: Slice, guard: ReplayGuard, nowMs: number): void {
  const named = namedProofs(slice);
  if (named === undefined) return;
  named.count = takeAll(named, guard, nowMs, slice.reasons, (item, code) => {
    slice.reasons[item] = code;
    slice.holds[item] = HOLDS.issuer;
  });
}

/** What is known of proofs to be taken, as many as `count` says. */
export type ProofsToTake = Pick<NamedProofs, 'count' | 'ids' | 'expiresAtMs'> & {
  readonly items: Uint32Array | Uint16Array;
};

/**
 * Takes those whose items are `ok`, by the codes of their reasons, in order. Those that were taken are moved to the front:
 * returns how many; `refuse` is told of each that was not.
 */
export function takeAll(
  { count, items, ids, expiresAtMs }: ProofsToTake,
  guard: ReplayGuard,
  nowMs: number,
  codes: Uint8Array,
  refuse: (item: number, code: number) => void,
): number {
  let taken = 0;
  if (count > 1) guard.prefetch?.(ids, count);
  for (let at = 0; at < count; at++) {
    const item = items[at] as number;
    if (codes[item] !== CODES.ok) continue;
    const code = takeProof(guard, ids, PROOF_ID_BYTES * at, expiresAtMs[at] as number, nowMs);
    if (code !== 0) {
      refuse(item, code);
      continue;
    }
    if (taken !== at) {
      items[taken] = item;
      ids.copyWithin(PROOF_ID_BYTES * taken, PROOF_ID_BYTES * at, PROOF_ID_BYTES * (at + 1));
      expiresAtMs[taken] = expiresAtMs[at] as number;
    }
    taken++;
  }
  return taken;
}

/** Where other gateways cannot be asked any more, those are told to come again, whose proofs nobody else may have seen. */
export function deferProofs(slice: Slice): void {
  const named = namedProofs(slice);
  if (named === undefined) return;
  for (let at = 0; at < named.count; at++) {
    const item = named.items[at] as number;
    slice.reasons[item] = CODES.overloaded;
    slice.holds[item] = HOLDS.issuer;
  }
  named.count = 0;
}

/** Those of a slice; before the first trust list nobody has looked at its proofs. */
export function namedProofs({ proofCount, proofs }: Slice): NamedProofs | undefined {
  return proofCount === 0 ? undefined : proofs?.named;
}

/** The reason's code, 0 when the place was free. `nowMs`: wall clock. */
function takeProof(
  guard: ReplayGuard,
  ids: Uint8Array,
  at: number,
  expiresAtMs: number,
  nowMs: number,
): number {
  // Its time has passed while the rest of a batch arrived: it may be forgotten, and so must not be accepted.
  if (nowMs >= expiresAtMs) return CODES.holder_proof_invalid;
  const answer = guard.take(ids, expiresAtMs, at);
  if (answer === 'first') return 0;
  return answer === 'seen' ? CODES.replayed : CODES.overloaded;
}

export function idAt(ids: Uint8Array, at: number): Uint8Array {
  return ids.subarray(PROOF_ID_BYTES * at, PROOF_ID_BYTES * (at + 1));
}

/** What the other gateways say of the proofs that were taken here. */
export function settleShared(slice: Slice, answers: readonly ShareResult[]): void {
  const proofs = slice.proofs as SliceProofs;
  const { named, localOnly } = proofs;
  proofs.isLocal = answers.includes('unreachable');
  for (let at = 0; at < named.count; at++) {
    const item = named.items[at] as number;
    if (answers[at] === 'unreachable') localOnly[item] = 1;
    if (answers[at] === 'seen') {
      slice.reasons[item] = CODES.replayed;
      slice.holds[item] = HOLDS.issuer;
    }
  }
}
