/** Native names of proofs are those that HMAC gives (RFC 2104), by node:crypto. */
import { createHmac, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { nativeAddon } from '../support/path-world.ts';

const addon = nativeAddon();

function identify(key: Uint8Array, texts: Uint8Array, starts: number[], ends: number[]): string[] {
  const ids = new Uint8Array(16 * starts.length);
  const hasher = addon.createProofHasher(key);
  addon.identifyProofs(hasher, texts, Uint32Array.from(starts), Uint32Array.from(ends), starts.length, ids);
  return starts.map((_, i) => Buffer.from(ids.subarray(16 * i, 16 * i + 16)).toString('hex'));
}

function expected(key: Uint8Array, message: Uint8Array): string {
  return createHmac('sha256', key).update(message).digest().subarray(0, 16).toString('hex');
}

describe('native names of proofs', () => {
  it('are right for messages around every block edge, and keys of every length', () => {
    for (let length = 0; length < 300; length++) {
      const key = randomBytes(length % 65);
      const message = randomBytes(length);
      expect(identify(key, message, [0], [length]), `${length} bytes`).toEqual([expected(key, message)]);
    }
  });

  it('are of places in one array', () => {
    const key = randomBytes(32);
    const texts = randomBytes(500);
    expect(identify(key, texts, [0, 100, 7, 500], [64, 500, 7, 500])).toEqual(
      [texts.subarray(0, 64), texts.subarray(100), texts.subarray(7, 7), texts.subarray(500)].map((message) =>
        expected(key, message),
      ),
    );
  });

  it('are refused beyond the array', () => {
    expect(() => identify(randomBytes(32), randomBytes(4), [0], [5])).toThrow(RangeError);
    expect(() => identify(randomBytes(32), randomBytes(4), [3], [2])).toThrow(RangeError);
    expect(() => addon.createProofHasher(randomBytes(65))).toThrow(RangeError);
  });
});
