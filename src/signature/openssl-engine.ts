/**
 * The engine on node:crypto: the one every machine has.
 *
 * OpenSSL checks the equation of the acceptance rule as it stands, byte for byte. Node itself does not let it
 * everywhere: from nodejs/node pull request 64026 on, `verify` answers false whenever A or R spells a point of
 * low order. Those inputs are therefore never asked of node:crypto but decided in Point arithmetic, on every
 * version alike, so that an upgrade of Node changes no verdict.
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { Point } from '@noble/ed25519';
import { isLowOrderEncoding } from '../encoding/ed25519-point.ts';
import type { SignatureCheck, SignatureEngine } from './engine.ts';
import { decodePoint, equationHolds } from './point-equation.ts';
import { createPreparedKeyCache } from './prepared-key-cache.ts';
import { isWellFormed } from './rule.ts';

/**
 * The DER that precedes the 32 raw bytes in a SubjectPublicKeyInfo with the algorithm id-Ed25519, 1.3.101.112
 * (RFC 8410 sections 3 and 4): everything about it but the key is constant.
 */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * What a cached key costs, in bytes. Measured over 200,000 keys (Node 20.20, x86-64): resident memory grows by
 * 1,220 a KeyObject (110 of it on V8's heap, the rest OpenSSL's), 170 more once it has verified, 350 for the
 * cache's entry and 370 for a decoded point, which few keys ever need. Their sum, rounded up to whole KiB.
 */
export const OPENSSL_KEY_BYTES = 3 * 1024;

interface PreparedKey {
  /** Absent when OpenSSL refuses the import. Today it takes any 32 bytes and decodes the point at each check. */
  readonly object: KeyObject | undefined;
  readonly isLowOrder: boolean;
  /** Found when first needed; see {@link holdsAtLowOrder}. */
  decoded?: { readonly point: Point | undefined; readonly isTorsionFree: boolean };
}

export function createOpensslEngine(options: { readonly keyCacheBytes: number }): SignatureEngine {
  const cache = createPreparedKeyCache<PreparedKey>({
    maxBytes: options.keyCacheBytes,
    bytesPerKey: OPENSSL_KEY_BYTES,
    prepare: (publicKey) => ({ object: importKey(publicKey), isLowOrder: isLowOrderEncoding(publicKey) }),
  });

  function holds(check: SignatureCheck): boolean {
    if (!isWellFormed(check)) return false;
    const key = check.isPassing ? cache.once(check.publicKey) : cache.get(check.publicKey);
    const isLowOrderR = isLowOrderEncoding(check.signature);
    if (key.isLowOrder || isLowOrderR) return holdsAtLowOrder(key, isLowOrderR, check);
    return key.object !== undefined && verify(null, check.message, key.object, check.signature);
  }

  return {
    name: 'openssl',
    implementation: `OpenSSL ${process.versions.openssl}`,
    verify: (checks) => Uint8Array.from(checks, (check) => (holds(check) ? 1 : 0)),
    keyCache: cache.stats,
  };
}

function importKey(publicKey: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}

/**
 * The verdict where A or R is of low order.
 *
 * Point arithmetic takes ten times as long as OpenSSL, and anybody can send a low-order R. But when A is free
 * of torsion, as every admitted issuer key is, [S]B - [k]A is too and cannot be a point of low order other than
 * the identity, whose canonical encoding the rule has already refused. So a hostile R costs one multiplication
 * for each key, not one for each check.
 */
function holdsAtLowOrder(key: PreparedKey, isLowOrderR: boolean, check: SignatureCheck): boolean {
  key.decoded ??= decodeWithTorsion(check.publicKey);
  const { point, isTorsionFree } = key.decoded;
  if (point === undefined || (isLowOrderR && isTorsionFree)) return false;
  return equationHolds(point, check);
}

function decodeWithTorsion(publicKey: Uint8Array): NonNullable<PreparedKey['decoded']> {
  const point = decodePoint(publicKey);
  return { point, isTorsionFree: point?.isTorsionFree() ?? false };
}
