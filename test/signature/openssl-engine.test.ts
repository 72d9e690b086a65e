/** What the engine rests on: how node:crypto treats raw keys, and where its verdict is the rule's. */
import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isLowOrderEncoding } from '../../src/encoding/ed25519-point.ts';
import { createOpensslEngine, OPENSSL_KEY_BYTES } from '../../src/signature/openssl-engine.ts';
import { adversarialCases, honest } from './adversarial.ts';
import { decodes, verdictByRule } from './oracle.ts';

const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

function importRaw(publicKey: Uint8Array) {
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' });
}

describe('node:crypto', () => {
  it('imports 32 bytes that are no point, and then refuses every signature', () => {
    const { signature, message } = honest(10);
    for (let y = 2; y < 20; y++) {
      const publicKey = new Uint8Array(32);
      publicKey[0] = y;
      if (decodes(publicKey)) continue;
      expect(verify(null, message, importRaw(publicKey), signature)).toBe(false);
    }
  });

  it('gives the verdict of the rule wherever neither A nor R is of low order', () => {
    const ordinary = adversarialCases().filter(
      ({ check: { publicKey, signature } }) =>
        publicKey.length === 32 &&
        signature.length >= 32 &&
        !isLowOrderEncoding(publicKey) &&
        !isLowOrderEncoding(signature),
    );
    expect(ordinary.length).toBeGreaterThan(100);
    const differing = ordinary.filter(
      ({ check }) =>
        verify(null, check.message, importRaw(check.publicKey), check.signature) !==
        (verdictByRule(check) === 1),
    );
    expect(differing.map(({ name }) => name)).toEqual([]);
  });
});

it('names the OpenSSL it runs on', () => {
  const engine = createOpensslEngine({ keyCacheBytes: OPENSSL_KEY_BYTES });
  expect(engine.implementation).toBe(`OpenSSL ${process.versions.openssl}`);
});
