/**
 * The acceptance rule `vigie-ed25519-1`: which Ed25519 signatures hold. It is frozen: a change is a new name.
 *
 * 1. The public key A is 32 bytes, the signature R || S exactly 64.
 * 2. S, read little-endian, is below L (RFC 8032 section 5.1.7, step 1: otherwise signatures are malleable).
 * 3. R is not the identity's encoding, which no honest signer emits.
 * 4. A decodes the way OpenSSL does it: y is A's low 255 bits taken modulo p, and x = 0 with the sign bit set is
 *    accepted.
 * 5. The canonical encoding of [S]B - [k]A equals the 32 received bytes of R, with
 *    k = SHA-512(R || A || M) mod L over the bytes as received. Cofactorless; R is never decoded.
 *
 * This file holds what can be told from the bytes alone (1 to 3); every engine asks it first.
 */
import type { SignatureCheck } from './engine.ts';

/** The rule's name, for logs, reports and the verdicts' documentation. */
export const ACCEPTANCE_RULE = 'vigie-ed25519-1';

export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/** L, the prime order of the base point (RFC 8032 section 5.1). */
export const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

const SCALAR_OFFSET = 32;

/** L as 32 little-endian bytes, the order in which S is received. */
const GROUP_ORDER_BYTES = Buffer.from(GROUP_ORDER.toString(16).padStart(64, '0'), 'hex').reverse();

/** Parts 1 to 3 of the rule. False decides the check: the signature does not hold. */
export function isWellFormed({ publicKey, signature }: SignatureCheck): boolean {
  return (
    publicKey.length === PUBLIC_KEY_BYTES &&
    signature.length === SIGNATURE_BYTES &&
    isCanonicalScalar(signature) &&
    !isIdentityEncoding(signature)
  );
}

/** Whether S, the second half of a 64-byte signature, is below L. Variable time: signatures are public. */
export function isCanonicalScalar(signature: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    const ours = signature[SCALAR_OFFSET + i] as number;
    const limit = GROUP_ORDER_BYTES[i] as number;
    if (ours !== limit) return ours < limit;
  }
  return false;
}

/** Whether the first 32 bytes are 01 00 ... 00, the canonical encoding of the identity (x = 0, y = 1). */
export function isIdentityEncoding(encoding: Uint8Array): boolean {
  if (encoding[0] !== 1) return false;
  for (let i = 1; i < 32; i++) if (encoding[i] !== 0) return false;
  return true;
}
