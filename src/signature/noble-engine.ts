/**
 * The engine in JavaScript, on the Point arithmetic of @noble/ed25519: a second, independent opinion for the
 * tests, and what is left where OpenSSL lacks Ed25519. An order of magnitude slower than node:crypto.
 */
import type { Point } from '@noble/ed25519';
import type { SignatureCheck, SignatureEngine } from './engine.ts';
import { decodePoint, equationHolds } from './point-equation.ts';
import { createPreparedKeyCache } from './prepared-key-cache.ts';
import { isWellFormed } from './rule.ts';

/**
 * What a cached key costs, in bytes. Measured over 30,000 keys (Node 20.20, x86-64): 370 on V8's heap for a
 * point of four bigints with its cache entry, 350 resident beside it for the cache's own tables. Rounded up
 * to one KiB.
 */
export const NOBLE_KEY_BYTES = 1024;

interface PreparedKey {
  /** Absent when the bytes are no point of the curve; that too is worth remembering. */
  readonly point: Point | undefined;
}

export function createNobleEngine(options: { readonly keyCacheBytes: number }): SignatureEngine {
  const cache = createPreparedKeyCache<PreparedKey>({
    maxBytes: options.keyCacheBytes,
    bytesPerKey: NOBLE_KEY_BYTES,
    prepare: (publicKey) => ({ point: decodePoint(publicKey) }),
  });

  function holds(check: SignatureCheck): boolean {
    if (!isWellFormed(check)) return false;
    const { point } = check.isPassing ? cache.once(check.publicKey) : cache.get(check.publicKey);
    return point !== undefined && equationHolds(point, check);
  }

  return {
    name: 'noble',
    implementation: '@noble/ed25519 Point arithmetic',
    verify: (checks) => Uint8Array.from(checks, (check) => (holds(check) ? 1 : 0)),
    keyCache: cache.stats,
  };
}
