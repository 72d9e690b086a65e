/**
 * Signatures made to order, honest or not: the scalars, the torsion added to R and to A and the spelling of
 * both are the caller's choice. Synthetic keys only.
 */
import { createHash } from 'node:crypto';
import { Point } from '@noble/ed25519';
import type { SignatureCheck } from '../../src/signature/engine.ts';
import { GROUP_ORDER } from '../../src/signature/rule.ts';

/** Generates the eight points of low order: `torsion(i)` is the i-th multiple of a point of order eight. */
const ORDER_EIGHT = Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a');
const TORSION = [Point.ZERO];
for (let i = 1; i < 8; i++) TORSION.push((TORSION[i - 1] as Point).add(ORDER_EIGHT));

export function torsion(i: number): Point {
  return TORSION[((i % 8) + 8) % 8] as Point;
}

/** Index of a point of low order: the inverse of {@link torsion}. */
export function torsionIndex(point: Point): number {
  return TORSION.findIndex((candidate) => candidate.equals(point));
}

/** [n]B for any n, reduced modulo L. */
export function basePointTimes(n: bigint): Point {
  return Point.BASE.multiplyUnsafe(((n % GROUP_ORDER) + GROUP_ORDER) % GROUP_ORDER);
}

export function scalarBytes(n: bigint): Uint8Array {
  return Uint8Array.from(Buffer.from(n.toString(16).padStart(64, '0'), 'hex').reverse());
}

/** A scalar drawn from a label: reproducible, and below L. */
export function scalarOf(label: string): bigint {
  return littleEndian(createHash('sha512').update(`synthetic test scalar: ${label}`).digest()) % GROUP_ORDER;
}

/** k = SHA-512(R || A || M) mod L over the bytes given. */
export function challenge(r: Uint8Array, publicKey: Uint8Array, message: Uint8Array): bigint {
  return (
    littleEndian(createHash('sha512').update(r).update(publicKey).update(message).digest()) % GROUP_ORDER
  );
}

export interface SignerKey {
  /** The logarithm of A's part in the prime-order group; 0 leaves torsion alone. */
  readonly a: bigint;
  /** A = [a]B + torsion(index). */
  readonly torsion: number;
  /** The spelling of A sent; canonical unless said otherwise. */
  readonly encoding: Uint8Array;
}

export function signerKey(a: bigint, torsionOfA = 0, encoding?: Uint8Array): SignerKey {
  return {
    a,
    torsion: torsionOfA,
    encoding: encoding ?? basePointTimes(a).add(torsion(torsionOfA)).toBytes(),
  };
}

export interface ForgeOptions {
  readonly key: SignerKey;
  /** R = [r]B + torsion(torsionOfR). */
  readonly r: bigint;
  readonly torsionOfR?: number;
  /** The spelling of R sent; canonical unless said otherwise. */
  readonly encodingOfR?: Uint8Array;
  /** Whether [S]B - [k]A = R shall hold as an equation between points; decided by the torsion alone. */
  readonly holds: boolean;
  /** Messages tried in turn begin with this. */
  readonly prefix?: string;
}

/**
 * Solves for S = r + k a, and tries messages until the torsion of R does (or does not) cancel that of [k]A.
 * [S]B - [k]A - R = -[k]T_A - T_R, which vanishes if and only if 8 divides k t_A + t_R.
 */
export function forge(options: ForgeOptions): SignatureCheck {
  const { key, r, torsionOfR = 0, holds, prefix = 'forged' } = options;
  const encodingOfR = options.encodingOfR ?? basePointTimes(r).add(torsion(torsionOfR)).toBytes();
  for (let attempt = 0; attempt < 1_000; attempt++) {
    const message = Buffer.from(`${prefix} ${attempt}`);
    const k = challenge(encodingOfR, key.encoding, message);
    const cancels = (Number(k % 8n) * key.torsion + torsionOfR) % 8 === 0;
    if (cancels !== holds) continue;
    const s = scalarBytes((r + k * key.a) % GROUP_ORDER);
    return { publicKey: key.encoding, signature: Buffer.concat([encodingOfR, s]), message };
  }
  throw new Error('no message gives the challenge asked for');
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}
