/**
 * The acceptance rule written a third time, straight from RFC 8032 section 5.1 and in nothing but bigint
 * arithmetic modulo p: it shares no line with the engines nor with the libraries below them, and is slow.
 */
import { createHash } from 'node:crypto';
import type { SignatureCheck } from '../../src/signature/engine.ts';

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = mod(-121665n * power(121666n, P - 2n));
const SQRT_MINUS_ONE = power(2n, (P - 1n) / 4n);
const IDENTITY_HEX = `01${'00'.repeat(31)}`;

/** Homogeneous coordinates (X : Y : Z), x = X/Z and y = Y/Z. */
interface Projective {
  readonly x: bigint;
  readonly y: bigint;
  readonly z: bigint;
}

const IDENTITY: Projective = { x: 0n, y: 1n, z: 1n };
/** The base point has y = 4/5 and an even x. */
const BASE = decode(toBytes(mod(4n * power(5n, P - 2n)))) as Projective;

/** What the rule says of a check. */
export function verdictByRule({ publicKey, signature, message }: SignatureCheck): 0 | 1 {
  if (publicKey.length !== 32 || signature.length !== 64) return 0;
  const r = signature.subarray(0, 32);
  const s = fromBytes(signature.subarray(32));
  if (s >= L || Buffer.from(r).toString('hex') === IDENTITY_HEX) return 0;
  const a = decode(publicKey);
  if (a === undefined) return 0;
  const k =
    fromBytes(
      createHash('sha512')
        .update(Buffer.concat([r, publicKey, message]))
        .digest(),
    ) % L;
  const minusA = { ...a, x: mod(-a.x) };
  const expected = encode(add(multiply(s, BASE), multiply(k, minusA)));
  return Buffer.from(r).equals(expected) ? 1 : 0;
}

/** Whether 32 bytes decode to a point under the rule. */
export function decodes(publicKey: Uint8Array): boolean {
  return decode(publicKey) !== undefined;
}

/** Whether 32 bytes are the one encoding of a point of prime order: what an issuer's key has to be. */
export function hasPrimeOrder(publicKey: Uint8Array): boolean {
  const point = decode(publicKey);
  if (point === undefined || !Buffer.from(publicKey).equals(encode(point))) return false;
  const isIdentity = (one: Projective): boolean => Buffer.from(encode(one)).toString('hex') === IDENTITY_HEX;
  return !isIdentity(point) && isIdentity(multiply(L, point));
}

function decode(bytes: Uint8Array): Projective | undefined {
  const number = fromBytes(bytes);
  const sign = number >> 255n;
  const y = (number & (2n ** 255n - 1n)) % P;
  // x^2 = (y^2 - 1) / (d y^2 + 1); the denominator has no root, since -1/d is no square.
  const square = mod((y * y - 1n) * power(D * y * y + 1n, P - 2n));
  let x = power(square, (P + 3n) / 8n);
  if (mod(x * x) !== square) x = mod(x * SQRT_MINUS_ONE);
  if (mod(x * x) !== square) return undefined;
  return { x: (x & 1n) === sign ? x : mod(-x), y, z: 1n };
}

function encode(point: Projective): Uint8Array {
  const inverse = power(point.z, P - 2n);
  return toBytes(mod(point.y * inverse) | ((mod(point.x * inverse) & 1n) << 255n));
}

/** The unified projective addition for a = -1; complete on this curve, so no case stands apart. */
function add(p: Projective, q: Projective): Projective {
  const zz = mod(p.z * q.z);
  const zz2 = mod(zz * zz);
  const xx = mod(p.x * q.x);
  const yy = mod(p.y * q.y);
  const dxy = mod(D * mod(xx * yy));
  const minus = mod(zz2 - dxy);
  const plus = mod(zz2 + dxy);
  const cross = mod((p.x + p.y) * (q.x + q.y) - xx - yy);
  return {
    x: mod(mod(zz * minus) * cross),
    y: mod(mod(zz * plus) * (yy + xx)),
    z: mod(minus * plus),
  };
}

function multiply(scalar: bigint, point: Projective): Projective {
  let sum = IDENTITY;
  let doubling = point;
  for (let rest = scalar; rest > 0n; rest >>= 1n) {
    if (rest & 1n) sum = add(sum, doubling);
    doubling = add(doubling, doubling);
  }
  return sum;
}

function mod(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = mod(base);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}

function fromBytes(bytes: Uint8Array): bigint {
  return bytes.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n);
}

function toBytes(number: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((number >> BigInt(8 * i)) & 0xffn));
}
