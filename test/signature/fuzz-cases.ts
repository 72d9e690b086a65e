/** Random checks for the fuzzer: honest triples, some by keys that carry torsion, and everything that breaks them. */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { LOW_ORDER_ENCODINGS } from '../../src/encoding/ed25519-point.ts';
import type { SignatureCheck } from '../../src/signature/engine.ts';
import { GROUP_ORDER } from '../../src/signature/rule.ts';
import { forge, scalarBytes, scalarOf, signerKey } from './forge.ts';

/** What precedes a 32-byte seed in the PKCS #8 form of an Ed25519 key (RFC 8410 section 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const MAX_MESSAGE_BYTES = 2_000;
/** With the 64 bytes of R and A before it, a message of 47 bytes fills one block of SHA-512, 175 bytes two. */
const BLOCK_EDGE = 47;
const BLOCK_BYTES = 128;
const P = 2n ** 255n - 19n;

interface Signer {
  readonly publicKey: Uint8Array;
  readonly privateKey: KeyObject;
}

/** A small generator with a seed (splitmix32): the same cases again wherever the seed is the same. */
export function createRandom(seed: number) {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  const below = (n: number): number => Math.floor((next() / 2 ** 32) * n);
  return {
    below,
    bytes: (length: number): Uint8Array => Uint8Array.from({ length }, () => next() & 0xff),
    pick: <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item,
  };
}
export type Random = ReturnType<typeof createRandom>;

export interface CaseSource {
  /** Keys that most cases are under; the fuzzer prepares some of them. */
  readonly keys: readonly Uint8Array[];
  next(): SignatureCheck;
}

export function createCaseSource(random: Random): CaseSource {
  const signers = Array.from({ length: 24 }, () => signerFrom(random.bytes(32)));
  const forged = torsionCases();
  const last: SignatureCheck[] = [...forged];
  const honest = (): SignatureCheck => {
    if (random.below(20) === 0) return random.pick(forged);
    const { publicKey, privateKey } =
      random.below(8) === 0 ? signerFrom(random.bytes(32)) : random.pick(signers);
    const message = random.bytes(lengthOf(random));
    return { publicKey, signature: sign(null, message, privateKey), message };
  };
  return {
    keys: [
      ...signers.map(({ publicKey }) => publicKey),
      ...forged.map(({ publicKey }) => publicKey),
      ...LOW_ORDER_ENCODINGS.map((hex) => Buffer.from(hex, 'hex')),
    ],
    next() {
      const check = honest();
      const other = random.pick(last);
      last[random.below(last.length)] = check;
      return random.below(3) === 0 ? check : random.pick(MUTATIONS)(check, random, other);
    },
  };
}

function signerFrom(seed: Uint8Array): Signer {
  const der = Buffer.concat([PKCS8_PREFIX, seed]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32);
  return { publicKey, privateKey };
}

function lengthOf(random: Random): number {
  const nearEdge = BLOCK_EDGE + BLOCK_BYTES * random.below(15) + random.below(5) - 2;
  return random.below(2) === 0 ? nearEdge : random.below(MAX_MESSAGE_BYTES + 1);
}

/** Keys of mixed order, with the torsion cancelling or not: the equation decides them, no range check does. */
function torsionCases(): SignatureCheck[] {
  return [1, 2, 3, 4, 5, 6, 7].flatMap((t) => {
    const key = signerKey(scalarOf(`fuzzed mixed key ${t}`), t);
    const r = scalarOf(`fuzzed nonce ${t}`);
    return [0, t].flatMap((torsionOfR) =>
      [true, false]
        .filter((holds) => !(holds && torsionOfR !== 0 && torsionOfR % (t & -t) !== 0))
        .map((holds) => forge({ key, r, torsionOfR, holds })),
    );
  });
}

type Mutation = (check: SignatureCheck, random: Random, other: SignatureCheck) => SignatureCheck;

const withR = (check: SignatureCheck, r: Uint8Array): SignatureCheck => ({
  ...check,
  signature: Buffer.concat([r.subarray(0, 32), check.signature.subarray(32)]),
});
const withS = (check: SignatureCheck, s: bigint): SignatureCheck => ({
  ...check,
  signature: Buffer.concat([check.signature.subarray(0, 32), scalarBytes(s & (2n ** 256n - 1n))]),
});
const sOf = (check: SignatureCheck): bigint =>
  BigInt(`0x${Buffer.from(check.signature.subarray(32)).reverse().toString('hex')}`);
const lowOrder = (random: Random): Uint8Array => Buffer.from(random.pick(LOW_ORDER_ENCODINGS), 'hex');
const nonCanonical = (random: Random): Uint8Array =>
  scalarBytes((P + BigInt(random.below(19))) | (BigInt(random.below(2)) << 255n));

/** Half of them change little, so that a kernel that is wrong in one corner has a case in which it shows. */
const MUTATIONS: readonly Mutation[] = [
  ...(['publicKey', 'signature', 'signature', 'message'] as const).map(
    (part): Mutation =>
      (check, random) => ({ ...check, [part]: flipBit(check[part], random) }),
  ),
  (check, random) => withS(check, sOf(check) + BigInt(1 + random.below(15)) * GROUP_ORDER),
  (check, random) => withS(check, random.pick(BOUNDARIES) + BigInt(random.below(3) - 1)),
  (check, _random, other) => withR(check, other.signature),
  (check, _random, other) => withS(check, sOf(other)),
  (check, _random, other) => ({ ...check, publicKey: other.publicKey }),
  (check, _random, other) => ({ ...check, message: other.message }),
  (check, random) => withR(check, lowOrder(random)),
  (check, random) => withR(check, nonCanonical(random)),
  (check, random) => ({ ...check, publicKey: nonCanonical(random) }),
  (check, random) => withS(withR({ ...check, publicKey: lowOrder(random) }, lowOrder(random)), 0n),
  (check, random) => ({ ...check, publicKey: lowOrder(random) }),
  (check, random) => ({ ...check, publicKey: random.bytes(32) }),
  (check) => ({ ...check, message: check.message.subarray(0, Math.max(0, check.message.length - 1)) }),
  (check) => ({ ...check, message: Buffer.concat([check.message, Buffer.of(0)]) }),
  (check, random) => ({ ...check, signature: check.signature.subarray(0, random.below(64)) }),
];

/** 0, L, and L with one of its 64-bit limbs one more, one less; 2^252 to 2^256. */
const BOUNDARIES: readonly bigint[] = [
  0n,
  GROUP_ORDER,
  ...[0n, 64n, 128n, 192n].flatMap((at) => [GROUP_ORDER + (1n << at), GROUP_ORDER - (1n << at)]),
  ...[252n, 253n, 254n, 255n, 256n].map((at) => 1n << at),
];

function flipBit(bytes: Uint8Array, random: Random): Uint8Array {
  const flipped = Uint8Array.from(bytes);
  const at = random.below(bytes.length * 8);
  if (bytes.length > 0) flipped[at >> 3] = (flipped[at >> 3] as number) ^ (1 << (at & 7));
  return flipped;
}

/** A case in a line, for a report of a disagreement: synthetic data only. */
export function describeCase({ publicKey, signature, message }: SignatureCheck): string {
  const digest = createHash('sha256').update(message).digest('hex').slice(0, 16);
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  return `A ${hex(publicKey)}, signature ${hex(signature)}, message of ${message.length} bytes (SHA-256 ${digest}…)`;
}
