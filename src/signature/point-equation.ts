/**
 * Parts 4 and 5 of the acceptance rule (rule.ts) in Point arithmetic: exact, slow (about a millisecond),
 * and the same on every version of Node and OpenSSL.
 *
 * The library's own `verify` will not do: it multiplies by the cofactor and so accepts more than the rule.
 */
import { createHash } from 'node:crypto';
import { Point } from '@noble/ed25519';
import type { SignatureCheck } from './engine.ts';
import { GROUP_ORDER } from './rule.ts';

/**
 * Decodes a 32-byte key as OpenSSL does, of which the library's lenient ("ZIP 215") mode is the equal:
 * y modulo p, and x = 0 with the sign bit set accepted.
 *
 * @returns `undefined` when the bytes are no point of the curve.
 */
export function decodePoint(publicKey: Uint8Array): Point | undefined {
  try {
    return Point.fromBytes(publicKey, true);
  } catch {
    return undefined;
  }
}

/**
 * Whether the canonical encoding of [S]B - [k]A equals R. The check must be well formed (`isWellFormed`):
 * the library's scalar multiplication throws on S >= L.
 */
export function equationHolds(a: Point, { publicKey, signature, message }: SignatureCheck): boolean {
  const r = signature.subarray(0, 32);
  const s = littleEndian(signature.subarray(32));
  const k = littleEndian(createHash('sha512').update(r).update(publicKey).update(message).digest());
  // The unsafe variant, meant for public values, is also the one that takes the scalar 0.
  const product = Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k % GROUP_ORDER));
  return Buffer.compare(product.toBytes(), r) === 0;
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}
