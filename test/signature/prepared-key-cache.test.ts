/** The cache of prepared keys as the engines use it: bounded, keyed by the bytes, and without a say in verdicts. */
import { describe, expect, it } from 'vitest';
import type { SignatureCheck } from '../../src/signature/engine.ts';
import { createNobleEngine, NOBLE_KEY_BYTES } from '../../src/signature/noble-engine.ts';
import { createOpensslEngine, OPENSSL_KEY_BYTES } from '../../src/signature/openssl-engine.ts';
import { honest } from './adversarial.ts';

describe.each([
  { name: 'openssl', create: createOpensslEngine, bytesPerKey: OPENSSL_KEY_BYTES },
  { name: 'noble', create: createNobleEngine, bytesPerKey: NOBLE_KEY_BYTES },
])('the key cache of $name', ({ create, bytesPerKey }) => {
  const good = honest(5);
  const undecodable: SignatureCheck = { ...good, publicKey: Uint8Array.of(2, ...new Uint8Array(31)) };
  const other: SignatureCheck = { ...good, publicKey: Uint8Array.of(3, ...new Uint8Array(31)) };

  it('counts what it holds and evicts the least recently used beyond its bytes', () => {
    const engine = create({ keyCacheBytes: 2 * bytesPerKey + 1 });
    engine.verify([good, good, undecodable, good]);
    expect({ ...engine.keyCache }).toEqual({
      hits: 2,
      misses: 2,
      evictions: 0,
      keys: 2,
      bytes: 2 * bytesPerKey,
    });
    engine.verify([other, good]);
    expect({ ...engine.keyCache }).toEqual({
      hits: 3,
      misses: 3,
      evictions: 1,
      keys: 2,
      bytes: 2 * bytesPerKey,
    });
    engine.verify([undecodable]);
    expect(engine.keyCache.misses).toBe(4);
  });

  it('keeps verdicts right while keys push one another out', () => {
    const engine = create({ keyCacheBytes: bytesPerKey });
    expect([...engine.verify([good, undecodable, good, other, good])]).toEqual([1, 0, 1, 0, 1]);
    expect(engine.keyCache.keys).toBe(1);
  });

  it('holds nothing for checks refused by their form', () => {
    const engine = create({ keyCacheBytes: bytesPerKey });
    engine.verify([
      { ...good, signature: good.signature.subarray(1) },
      { ...good, publicKey: new Uint8Array(33) },
    ]);
    expect({ ...engine.keyCache }).toEqual({ hits: 0, misses: 0, evictions: 0, keys: 0, bytes: 0 });
  });

  it('keeps none of the bytes it was given', () => {
    const engine = create({ keyCacheBytes: bytesPerKey });
    const publicKey = Uint8Array.from(good.publicKey);
    expect([...engine.verify([{ ...good, publicKey }])]).toEqual([1]);
    publicKey.fill(0);
    expect([...engine.verify([good, { ...good, publicKey }])]).toEqual([1, 0]);
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
    'refuses a bound of %d bytes',
    (keyCacheBytes) => {
      expect(() => create({ keyCacheBytes })).toThrow(RangeError);
    },
  );

  it('refuses a bound in which no key fits', () => {
    expect(() => create({ keyCacheBytes: bytesPerKey - 1 })).toThrow(RangeError);
  });
});
