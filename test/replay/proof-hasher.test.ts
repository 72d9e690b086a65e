/** The names of proofs are those that HMAC gives (RFC 2104), by node:crypto. */
import { createHmac, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createProofIdentity } from '../../src/replay/proof-identity.ts';
import { nativeAddon } from '../support/path-world.ts';

const addon = nativeAddon();

function names(
  by: typeof addon | undefined,
  key: Uint8Array,
  texts: Uint8Array,
  starts: number[],
  ends: number[],
) {
  const ids = new Uint8Array(16 * starts.length);
  const places = [Uint32Array.from(starts), Uint32Array.from(ends)] as const;
  createProofIdentity(key, by)(texts, ...places, starts.length, ids);
  return starts.map((_, i) => Buffer.from(ids.subarray(16 * i, 16 * i + 16)).toString('hex'));
}

type Args = [key: Uint8Array, texts: Uint8Array, starts: number[], ends: number[]];

function expected(key: Uint8Array, message: Uint8Array): string {
  return createHmac('sha256', key).update(message).digest().subarray(0, 16).toString('hex');
}

describe.each([
  ['native code', addon],
  ['TypeScript alone', undefined],
] as const)('names of proofs by %s', (_name, by) => {
  const identify = (...args: Args) => names(by, ...args);

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

  it.runIf(by !== undefined)('are refused beyond the array', () => {
    expect(() => identify(randomBytes(32), randomBytes(4), [0], [5])).toThrow(RangeError);
    expect(() => identify(randomBytes(32), randomBytes(4), [3], [2])).toThrow(RangeError);
    expect(() => addon.createProofHasher(randomBytes(65))).toThrow(RangeError);
  });
});
