/**
 * Known answers an engine must give before it may judge anything: one signature that holds, the smallest
 * changes that break it, and the corners in which Ed25519 verifiers differ from the acceptance rule.
 */
import type { SignatureCheck, SignatureEngine } from './engine.ts';
import { GROUP_ORDER } from './rule.ts';

interface KnownAnswer {
  readonly about: string;
  readonly check: SignatureCheck;
  readonly expected: 0 | 1;
}

/** RFC 8032 section 7.1, TEST 2. */
const GOOD: SignatureCheck = {
  publicKey: fromHex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c'),
  signature: fromHex(
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
      '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ),
  message: fromHex('72'),
};

const IDENTITY = fromHex(`01${'00'.repeat(31)}`);
const ORDER_TWO = fromHex(`ec${'ff'.repeat(30)}7f`);
const BASE_POINT = fromHex(`58${'66'.repeat(31)}`);
const ZERO = scalar(0n);
const ONE = scalar(1n);

/**
 * With S = 1 and R = B the equation asks for [k]A = O. For the A of order two it depends on whether k is
 * even, which the messages below settle: 00 makes it even, 01 odd. A cofactored verifier accepts both.
 */
const KNOWN_ANSWERS: readonly KnownAnswer[] = [
  { about: 'a good signature', check: GOOD, expected: 1 },
  { about: 'a flipped bit in R', check: { ...GOOD, signature: flip(GOOD.signature, 0) }, expected: 0 },
  { about: 'a flipped bit in S', check: { ...GOOD, signature: flip(GOOD.signature, 32) }, expected: 0 },
  { about: 'a flipped bit in the message', check: { ...GOOD, message: flip(GOOD.message, 0) }, expected: 0 },
  { about: 'a flipped bit in the key', check: { ...GOOD, publicKey: flip(GOOD.publicKey, 0) }, expected: 0 },
  { about: 'S + L', check: { ...GOOD, signature: withGroupOrderAdded(GOOD.signature) }, expected: 0 },
  { about: 'a short signature', check: { ...GOOD, signature: GOOD.signature.subarray(0, 63) }, expected: 0 },
  { about: 'the identity as R', check: forged(IDENTITY, IDENTITY, ZERO, '00'), expected: 0 },
  { about: 'the identity as A', check: forged(IDENTITY, BASE_POINT, ONE, '00'), expected: 1 },
  { about: 'A of order two, k even', check: forged(ORDER_TWO, BASE_POINT, ONE, '00'), expected: 1 },
  { about: 'A of order two, k odd', check: forged(ORDER_TWO, BASE_POINT, ONE, '01'), expected: 0 },
  { about: 'a good signature after bad ones', check: GOOD, expected: 1 },
];

/** The keys of the known answers, for an engine that treats prepared keys in a way of their own. */
export const SELF_TEST_KEYS: readonly Uint8Array[] = [
  ...new Map(
    KNOWN_ANSWERS.map(({ check }) => [Buffer.from(check.publicKey).toString('hex'), check.publicKey]),
  ).values(),
];

export type SelfTest =
  | { readonly ok: true }
  /** What went wrong, in words for the log; test data only, nothing of any credential. */
  | { readonly ok: false; readonly failures: readonly string[] };

/** Asks every known answer in one batch and then alone. An engine that throws has failed too. */
export function selfTest(engine: SignatureEngine): SelfTest {
  const failures: string[] = [];
  const batch = attempt(engine, KNOWN_ANSWERS);
  KNOWN_ANSWERS.forEach((answer, index) => {
    const { about, expected } = answer;
    const inBatch = batch[index];
    const alone = attempt(engine, [answer])[0];
    if (inBatch !== expected) failures.push(`${about}, in a batch: ${said(inBatch)} instead of ${expected}`);
    if (alone !== expected) failures.push(`${about}, alone: ${said(alone)} instead of ${expected}`);
  });
  return failures.length === 0 ? { ok: true } : { ok: false, failures };
}

/** The engine's answers; none when it throws or answers with another number of bytes than it was asked. */
function attempt(engine: SignatureEngine, answers: readonly KnownAnswer[]): ArrayLike<number> {
  try {
    const verdicts = engine.verify(answers.map(({ check }) => check));
    return verdicts.length === answers.length ? verdicts : [];
  } catch {
    return [];
  }
}

function said(verdict: number | undefined): string {
  return verdict === undefined ? 'no answer' : String(verdict);
}

function forged(publicKey: Uint8Array, r: Uint8Array, s: Uint8Array, message: string): SignatureCheck {
  return { publicKey, signature: Buffer.concat([r, s]), message: fromHex(message) };
}

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const flipped = Uint8Array.from(bytes);
  flipped[at] = (flipped[at] as number) ^ 1;
  return flipped;
}

function withGroupOrderAdded(signature: Uint8Array): Uint8Array {
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`);
  return Buffer.concat([signature.subarray(0, 32), scalar(s + GROUP_ORDER)]);
}

function scalar(value: bigint): Uint8Array {
  return fromHex(value.toString(16).padStart(64, '0')).reverse();
}

function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}
