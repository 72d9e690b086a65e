import { Point } from '@noble/ed25519';
import { describe, expect, it } from 'vitest';
import {
  ACCEPTANCE_RULE,
  GROUP_ORDER,
  isCanonicalScalar,
  isIdentityEncoding,
  isWellFormed,
} from '../../src/signature/rule.ts';
import { honest } from './adversarial.ts';
import { scalarBytes } from './forge.ts';

const withScalar = (s: bigint): Uint8Array => Buffer.concat([new Uint8Array(32), scalarBytes(s)]);

it('has its frozen name', () => {
  expect(ACCEPTANCE_RULE).toBe('vigie-ed25519-1');
});

describe('isCanonicalScalar', () => {
  it.each([
    [0n, true],
    [1n, true],
    [GROUP_ORDER - 1n, true],
    [GROUP_ORDER, false],
    [GROUP_ORDER + 1n, false],
    [2n ** 252n - 1n, true],
    [2n ** 252n, true],
    [2n ** 253n, false],
    [2n ** 255n, false],
    [2n ** 256n - 1n, false],
  ])('S = %d: %s', (s, expected) => {
    expect(isCanonicalScalar(withScalar(s))).toBe(expected);
  });

  it('compares every byte of L', () => {
    for (let byte = 0; byte < 32; byte++) {
      const step = 2n ** BigInt(8 * byte);
      expect(isCanonicalScalar(withScalar(GROUP_ORDER - step))).toBe(true);
      expect(isCanonicalScalar(withScalar(GROUP_ORDER + step))).toBe(false);
    }
  });
});

it('tells the identity from its other spellings and from its neighbours', () => {
  const identity = Uint8Array.from(Point.ZERO.toBytes());
  expect(isIdentityEncoding(identity)).toBe(true);
  expect(isIdentityEncoding(Buffer.concat([identity, scalarBytes(5n)]))).toBe(true);
  expect(isIdentityEncoding(new Uint8Array(32))).toBe(false);
  for (let byte = 0; byte < 32; byte++) {
    const other = Uint8Array.from(identity);
    other[byte] = (other[byte] as number) ^ 0x80;
    expect(isIdentityEncoding(other)).toBe(false);
  }
});

it('asks for lengths, a canonical S and an R that is not the identity', () => {
  const check = honest(20);
  expect(isWellFormed(check)).toBe(true);
  expect(isWellFormed({ ...check, publicKey: check.publicKey.subarray(1) })).toBe(false);
  expect(isWellFormed({ ...check, signature: check.signature.subarray(1) })).toBe(false);
  expect(isWellFormed({ ...check, signature: withScalar(GROUP_ORDER) })).toBe(false);
  const identityR = Buffer.concat([Point.ZERO.toBytes(), scalarBytes(1n)]);
  expect(isWellFormed({ ...check, signature: identityR })).toBe(false);
});
