/**
 * Inputs on which Ed25519 verifiers are known to differ, generated: each family of the attack list that can be
 * told at the level of raw bytes (scalars, points of low order, spellings, torsion, lengths).
 */
import { Point } from '@noble/ed25519';
import { LOW_ORDER_ENCODINGS } from '../../src/encoding/ed25519-point.ts';
import type { SignatureCheck } from '../../src/signature/engine.ts';
import { GROUP_ORDER } from '../../src/signature/rule.ts';
import {
  basePointTimes,
  challenge,
  type ForgeOptions,
  forge,
  scalarBytes,
  scalarOf,
  signerKey,
  torsion,
  torsionIndex,
} from './forge.ts';

export interface AdversarialCase {
  readonly name: string;
  readonly check: SignatureCheck;
  /** What the construction entails; absent where only the rule itself can tell. */
  readonly expected?: 0 | 1;
}

const P = 2n ** 255n - 19n;
const IDENTITY_HEX = `01${'00'.repeat(31)}`;
const HONEST = signerKey(scalarOf('honest key'));

export function adversarialCases(): AdversarialCase[] {
  return [
    ...scalarsAboveL(),
    ...scalarsAroundL(),
    ...lowOrderKeys(),
    ...lowOrderBoth(),
    ...lowOrderRUnderOrdinaryKeys(),
    ...nonCanonicalY(),
    ...torsionAdded(),
    ...hashedOverRewrittenKey(),
    ...wrongLengths(),
  ];
}

/** An honest signature over a message of the given length. */
export function honest(length: number): SignatureCheck {
  const message = Uint8Array.from({ length }, (_, i) => (i * 31 + length) & 0xff);
  const r = scalarOf(`nonce ${length}`);
  const encodingOfR = basePointTimes(r).toBytes();
  const s = (r + challenge(encodingOfR, HONEST.encoding, message) * HONEST.a) % GROUP_ORDER;
  return { publicKey: HONEST.encoding, signature: Buffer.concat([encodingOfR, scalarBytes(s)]), message };
}

/** S + iL satisfies the equation as S does; only S < L tells them apart. Up to i = 15 it can fit 256 bits. */
function scalarsAboveL(): AdversarialCase[] {
  const check = honest(40);
  const s = BigInt(`0x${Buffer.from(check.signature.subarray(32)).reverse().toString('hex')}`);
  const cases: AdversarialCase[] = [{ name: 'S + 0L', check, expected: 1 }];
  for (let i = 1n; i <= 15n && s + i * GROUP_ORDER < 2n ** 256n; i++) {
    const signature = Buffer.concat([check.signature.subarray(0, 32), scalarBytes(s + i * GROUP_ORDER)]);
    cases.push({ name: `S + ${i}L`, check: { ...check, signature }, expected: 0 });
  }
  return cases;
}

/**
 * S at and about L, and L with each of its four 64-bit limbs one more and one less. A key of order eight lets
 * the equation hold for any S: R = [S]B - [k]A needs no logarithm.
 */
function scalarsAroundL(): AdversarialCase[] {
  const offsets: [string, bigint][] = [['L', 0n]];
  for (let limb = 0; limb < 4; limb++) {
    offsets.push([`L + 1 in limb ${limb}`, 2n ** BigInt(64 * limb)]);
    offsets.push([`L - 1 in limb ${limb}`, -(2n ** BigInt(64 * limb))]);
  }
  const key = signerKey(0n, 1);
  return offsets.map(([name, offset]) => {
    const s = GROUP_ORDER + offset;
    const { publicKey, signature, message } = forge({ key, r: s, torsionOfR: 1, holds: true, prefix: name });
    const withS = Buffer.concat([signature.subarray(0, 32), scalarBytes(s)]);
    return {
      name: `S = ${name}`,
      check: { publicKey, signature: withS, message },
      expected: s < GROUP_ORDER ? 1 : 0,
    };
  });
}

/** A of low order in each of its 14 spellings, R ordinary: accepted exactly when the torsion cancels. */
function lowOrderKeys(): AdversarialCase[] {
  return LOW_ORDER_ENCODINGS.flatMap((hex) => {
    const key = lowOrderKey(hex);
    const r = scalarOf(`nonce under ${hex}`);
    const cases: AdversarialCase[] = [
      { name: `A = ${hex}, R ordinary`, check: forge({ key, r, holds: true }), expected: 1 },
    ];
    if (key.torsion !== 0) {
      cases.push({ name: `A = ${hex}, torsion left`, check: forge({ key, r, holds: false }), expected: 0 });
    }
    return cases;
  });
}

/** A and R both of low order and S = 0, in every pair of spellings in which the equation can hold. */
function lowOrderBoth(): AdversarialCase[] {
  return LOW_ORDER_ENCODINGS.flatMap((hexOfA) =>
    LOW_ORDER_ENCODINGS.flatMap((hexOfR) =>
      lowOrderR(`A = ${hexOfA}`, hexOfR, { key: lowOrderKey(hexOfA), r: 0n, prefix: hexOfR }),
    ),
  );
}

/** R of low order under an honest key (never accepted) and under keys of mixed order (where it can be). */
function lowOrderRUnderOrdinaryKeys(): AdversarialCase[] {
  const keys = [0, 1, 2, 4].map((t) => ({ t, key: signerKey(scalarOf(`key with torsion ${t}`), t) }));
  return keys.flatMap(({ t, key }) =>
    LOW_ORDER_ENCODINGS.flatMap((hex) =>
      lowOrderR(`A = [a]B + torsion ${t}`, hex, { key, r: 0n, prefix: hex }),
    ),
  );
}

/** One R of low order, with the equation holding where k allows it, and failing where k allows that. */
function lowOrderR(
  name: string,
  hex: string,
  options: Pick<ForgeOptions, 'key' | 'r' | 'prefix'>,
): AdversarialCase[] {
  const encodingOfR = bytesOf(hex);
  const point = Point.fromBytes(encodingOfR, true);
  const torsionOfR = torsionIndex(point);
  const isCanonical = Buffer.from(point.toBytes()).equals(encodingOfR);
  const cases: AdversarialCase[] = [];
  for (const holds of [true, false]) {
    // k runs over all residues modulo 8, so the equation can hold if and only if R lies in the group of A's
    // torsion; it can fail unless both are the identity.
    if (holds && torsionOfR % greatestCommonDivisor(options.key.torsion, 8) !== 0) continue;
    if (!holds && options.key.torsion === 0 && torsionOfR === 0) continue;
    cases.push({
      name: `${name}, R = ${hex}, the equation ${holds ? 'holds' : 'fails'}`,
      check: forge({ ...options, torsionOfR, encodingOfR, holds }),
      expected: holds && isCanonical && hex !== IDENTITY_HEX ? 1 : 0,
    });
  }
  return cases;
}

/** Every y in [p, 2^255) with either sign, as A (on the curve or not) and as R: R is compared, not decoded. */
function nonCanonicalY(): AdversarialCase[] {
  const check = honest(64);
  const cases: AdversarialCase[] = [];
  for (let y = P; y < 2n ** 255n; y++) {
    for (const sign of [0n, 1n]) {
      const encoding = scalarBytes(y | (sign << 255n));
      const name = `y = p + ${y - P}, sign ${sign}`;
      const s = check.signature.subarray(32);
      cases.push({ name: `A with ${name}`, check: { ...check, publicKey: encoding }, expected: 0 });
      const canonicalR = {
        ...check,
        signature: Buffer.concat([basePointTimes(1n).toBytes(), scalarBytes(1n)]),
      };
      cases.push({ name: `A with ${name}, S = 1, R = B`, check: { ...canonicalR, publicKey: encoding } });
      const signature = Buffer.concat([encoding, s]);
      cases.push({ name: `R with ${name}`, check: { ...check, signature }, expected: 0 });
    }
  }
  return cases;
}

/** Torsion added to R, to A and to both: a cofactored verifier accepts all of these, the rule some. */
function torsionAdded(): AdversarialCase[] {
  const cases: AdversarialCase[] = [];
  const r = scalarOf('nonce under torsion');
  for (let t = 1; t < 8; t++) {
    const mixed = signerKey(scalarOf('mixed key'), t);
    const name = `torsion ${t} added to`;
    cases.push(
      { name: `${name} R`, check: forge({ key: HONEST, r, torsionOfR: t, holds: false }), expected: 0 },
      { name: `${name} A, left`, check: forge({ key: mixed, r, holds: false }), expected: 0 },
      { name: `${name} A, k divisible`, check: forge({ key: mixed, r, holds: true }), expected: 1 },
      {
        name: `${name} A and R, cancelling`,
        check: forge({ key: mixed, r, torsionOfR: t, holds: true }),
        expected: 1,
      },
      {
        name: `${name} A and R, left`,
        check: forge({ key: mixed, r, torsionOfR: t, holds: false }),
        expected: 0,
      },
    );
  }
  return cases;
}

/**
 * A key of order four in its second spelling, y = p, where R suits the hash over the canonical spelling only,
 * or over the received one only: tells a verifier that hashes what it decoded rather than what it received.
 */
function hashedOverRewrittenKey(): AdversarialCase[] {
  return ['7f', 'ff'].flatMap((last) => {
    const received = bytesOf(`ed${'ff'.repeat(30)}${last}`);
    const point = Point.fromBytes(received, true);
    const t = torsionIndex(point);
    const encodingOfR = basePointTimes(5n).add(torsion(t)).toBytes();
    const signature = Buffer.concat([encodingOfR, scalarBytes(5n)]);
    return [true, false].map((overReceived): AdversarialCase => {
      for (let attempt = 0; ; attempt++) {
        const message = Buffer.from(`rewritten ${attempt}`);
        const holdsReceived = (challenge(encodingOfR, received, message) + 1n) % 4n === 0n;
        const holdsRewritten = (challenge(encodingOfR, point.toBytes(), message) + 1n) % 4n === 0n;
        if (holdsReceived === holdsRewritten || holdsReceived !== overReceived) continue;
        const name = `A = ed..${last}, k over the ${overReceived ? 'received' : 'canonical'} bytes`;
        return { name, check: { publicKey: received, signature, message }, expected: overReceived ? 1 : 0 };
      }
    });
  });
}

function wrongLengths(): AdversarialCase[] {
  const check = honest(32);
  const keys = [0, 31, 33, 64].map((length) => ({ ...check, publicKey: resized(check.publicKey, length) }));
  const signatures = [0, 32, 63, 65, 128, 16_384].map((length) => ({
    ...check,
    signature: resized(check.signature, length),
  }));
  return [...keys, ...signatures].map((wrong) => ({
    name: `a key of ${wrong.publicKey.length} bytes, a signature of ${wrong.signature.length}`,
    check: wrong,
    expected: 0,
  }));
}

function lowOrderKey(hex: string) {
  const encoding = bytesOf(hex);
  return signerKey(0n, torsionIndex(Point.fromBytes(encoding, true)), encoding);
}

function resized(bytes: Uint8Array, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => bytes[i] ?? 0);
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
