/** The stage that asks the engine: one batch of all items that have a key, and of their proofs. */
import type { TrustedIssuer, TrustedKey } from '../keys/trusted-key.ts';
import { FIELDS, HOLDS, ROW_WORDS } from '../native/fields.ts';
import type { SignatureEngine } from '../signature/engine.ts';
import { verifyPackedBy } from '../signature/packed-checks.ts';
import { SIGNATURE_BYTES } from '../signature/rule.ts';
import { CODES } from '../verdict.ts';
import type { CheckArrays } from './check-arrays.ts';
import { placeProofChecks, settleProofChecks } from './proofs.ts';
import { latin1, type ReadCredential, type Slice } from './slice.ts';
import { keysFor } from './slice-proofs.ts';
import { ownerAt, type TrustScope } from './trust-scope.ts';

const DOT = 0x2e;

/**
 * Marks the items whose signature holds; all others that were asked about get their reason. Where there are proofs, their
 * signatures stand behind the credentials' in the same batch.
 */
export function checkSignatures(slice: Slice, scope: TrustScope, engine: SignatureEngine): void {
  const { count, texts, read, reasons, holds, signatures, scratch } = slice;
  const proofs = slice.proofCount === 0 ? undefined : slice.proofs;
  const arrays = proofs === undefined ? scratch : proofs.checks;
  const { items, keyOf, messageStarts, messageEnds, packedSignatures, bytes: verdicts } = arrays;
  const checks = placeChecks(slice, scope, arrays);
  if (checks === 0) return;
  const areAll = checks === count;
  let all = checks;
  if (proofs !== undefined) {
    if (areAll) packedSignatures.set(signatures.subarray(0, count * SIGNATURE_BYTES));
    all = placeProofChecks(slice, scope, checks);
  }
  if (!areAll) gather(signatures, items, checks, packedSignatures);
  verifyPackedBy(engine, {
    count: all,
    publicKeys: proofs === undefined ? scope.publicKeys : keysFor(proofs, scope),
    keyOf,
    passingFrom: checks,
    signatures: areAll && proofs === undefined ? signatures : packedSignatures,
    messages: texts,
    messageStarts,
    messageEnds,
    verdicts,
  });
  for (let at = 0; at < checks; at++) {
    const item = items[at] as number;
    if (verdicts[at] === 0) reasons[item] = CODES.bad_signature;
    else {
      holds[item] = HOLDS.issuer;
      if (read[item] !== undefined && scope.recogniser !== undefined) learn(slice, scope, item);
    }
  }
  if (proofs !== undefined) settleProofChecks(proofs, checks, all);
}

/** Where the key and the signing input of each item are that has come so far; returns how many have. */
function placeChecks(
  { count, starts, rows, read, reasons }: Slice,
  scope: TrustScope,
  { items, keyOf, messageStarts, messageEnds }: CheckArrays,
): number {
  let checks = 0;
  for (let i = 0; i < count; i++) {
    if (reasons[i] !== 0) continue;
    const one = read[i];
    const start = starts[i] as number;
    items[checks] = i;
    messageStarts[checks] = start;
    if (one === undefined) {
      keyOf[checks] = ownerAt(scope, rows, i).keyPlace;
      messageEnds[checks] = rows[i * ROW_WORDS + FIELDS.signingInputEnd] as number;
    } else {
      keyOf[checks] = scope.keyPlaceOf(one.key as TrustedKey);
      messageEnds[checks] = start + one.credential.signingInput.length;
    }
    checks++;
  }
  return checks;
}

/** The signatures of some items, one behind the other. */
function gather(signatures: Uint8Array, items: Uint32Array, count: number, into: Uint8Array): void {
  for (let at = 0; at < count; at++) {
    const from = (items[at] as number) * SIGNATURE_BYTES;
    into.set(signatures.subarray(from, from + SIGNATURE_BYTES), at * SIGNATURE_BYTES);
  }
}

/** A header under which a key of the list has truly signed is recognised from now on. */
function learn({ texts, starts, read }: Slice, scope: TrustScope, item: number): void {
  const { credential, issuer, key } = read[item] as ReadCredential;
  const start = starts[item] as number;
  const header = latin1(texts, start, texts.indexOf(DOT, start));
  const keyPlace = scope.keyPlaceOf(key as TrustedKey);
  const owner = { issuer: issuer as TrustedIssuer, key: key as TrustedKey, keyPlace };
  scope.recogniser?.learn(header, credential.iss, owner);
}
