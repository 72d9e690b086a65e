import { createPrivateKey, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { enginesUnderTest } from './engines.ts';
import { verdictByRule } from './oracle.ts';
import { PUBLISHED_VECTORS } from './rfc-vectors.ts';

/** What precedes a 32-byte seed in the PKCS #8 form of an Ed25519 key (RFC 8410 section 7). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

it.each(PUBLISHED_VECTORS)('$name is what its secret key signs', ({ secretKey, message, signature }) => {
  const der = Buffer.concat([PKCS8_PREFIX, secretKey]);
  const signed = sign(null, message, createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
  expect(signed.toString('hex')).toBe(Buffer.from(signature).toString('hex'));
});

describe.each(enginesUnderTest())('$name ($implementation)', (engine) => {
  it.each(PUBLISHED_VECTORS)('accepts $name', (vector) => {
    expect([...engine.verify([vector])]).toEqual([1]);
  });

  it('refuses every vector under the key of the next', () => {
    const crossed = PUBLISHED_VECTORS.map((vector, i) => ({
      ...vector,
      publicKey: PUBLISHED_VECTORS[(i + 2) % PUBLISHED_VECTORS.length]?.publicKey ?? new Uint8Array(),
    }));
    expect([...engine.verify(crossed)]).toEqual(crossed.map(() => 0));
  });

  it('answers an empty batch with no byte', () => {
    expect(engine.verify([])).toEqual(new Uint8Array(0));
  });
});

it('the oracle accepts every published vector', () => {
  expect(PUBLISHED_VECTORS.map(verdictByRule)).toEqual(PUBLISHED_VECTORS.map(() => 1));
});
