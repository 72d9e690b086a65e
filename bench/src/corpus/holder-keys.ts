/** Keys of synthetic holders: made with a corpus, kept beside it in a fixed form, and read again to sign fresh proofs. */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readSync } from 'node:fs';

export interface HolderKey {
  /** The private key as RFC 8032 knows it. */
  readonly seed: Buffer;
  readonly publicKey: Buffer;
}

const KEY_BYTES = 32;
const STORED_BYTES = 2 * KEY_BYTES;

export function makeHolderKey(): HolderKey {
  // Both raw keys end their DER forms.
  const { publicKey, privateKey } = generateKeyPairSync('ed25519', {
    publicKeyEncoding: { format: 'der', type: 'spki' },
    privateKeyEncoding: { format: 'der', type: 'pkcs8' },
  });
  return { seed: privateKey.subarray(-KEY_BYTES), publicKey: publicKey.subarray(-KEY_BYTES) };
}

export function storedForm({ seed, publicKey }: HolderKey): Buffer {
  return Buffer.concat([seed, publicKey]);
}

/** The keys of `count` holders of an open file, from the holder at `first` on, ready to sign. */
export function readSigningKeys(file: number, first: number, count: number): readonly KeyObject[] {
  const stored = Buffer.alloc(count * STORED_BYTES);
  const bytes = readSync(file, stored, 0, stored.length, first * STORED_BYTES);
  if (bytes !== stored.length) throw new Error('the file of holder keys ends too soon');
  return Array.from({ length: count }, (_, index) => {
    const at = index * STORED_BYTES;
    const part = (from: number) => stored.toString('base64url', at + from, at + from + KEY_BYTES);
    // From a JWK, which takes a tenth of what OpenSSL 3 needs to find out what a DER form is.
    const key = { kty: 'OKP', crv: 'Ed25519', d: part(0), x: part(KEY_BYTES) };
    return createPrivateKey({ key, format: 'jwk' });
  });
}
