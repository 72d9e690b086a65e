/** Input of the kernel suite: distinct honest signatures over distinct messages. Synthetic keys, made each run. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { SignatureCheck } from '../../../src/signature/engine.ts';

/** Enough that no engine, branch predictor or cache of the processor lives off one input. */
export const SIGNATURES = 4_096;
/** 225 random bytes are 300 characters of base64url: the size and the alphabet of a small JWS signing input. */
const MESSAGE_RANDOM_BYTES = 225;

interface KeyPair {
  readonly publicKey: Uint8Array;
  readonly privateKey: KeyObject;
}

/** Makes `SIGNATURES` checks, all of which hold, signed in turn by `keys` different keys. */
export function makeSignatures(keys: number): readonly SignatureCheck[] {
  const pairs = Array.from({ length: keys }, makeKeyPair);
  return Array.from({ length: SIGNATURES }, (_, index) => {
    const { publicKey, privateKey } = pairs[index % keys] as KeyPair;
    const message = Buffer.from(randomBytes(MESSAGE_RANDOM_BYTES).toString('base64url'), 'latin1');
    return { publicKey, signature: sign(null, message, privateKey), message };
  });
}

/** Cuts checks into engine calls of `size` checks each; a remainder is left out. */
export function intoBatches(checks: readonly SignatureCheck[], size: number): readonly SignatureCheck[][] {
  const batches: SignatureCheck[][] = [];
  for (let start = 0; start + size <= checks.length; start += size) {
    batches.push(checks.slice(start, start + size));
  }
  return batches;
}

function makeKeyPair(): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { x } = publicKey.export({ format: 'jwk' });
  return { publicKey: Buffer.from(x as string, 'base64url'), privateKey };
}
