/** Input of the kernel suite: distinct honest signatures over distinct messages. Synthetic keys, made each run. */
import { generateKeyPairSync, type KeyObject, randomBytes, randomInt, sign } from 'node:crypto';
import type { SignatureCheck } from '../../../src/signature/engine.ts';

/** Enough that no engine, branch predictor or cache of the processor lives off one input. */
export const SIGNATURES = 4_096;
/** 225 random bytes are 300 characters of base64url: the size and the alphabet of a small JWS signing input. */
const MESSAGE_RANDOM_BYTES = 225;

export interface SignatureCorpus {
  /** `SIGNATURES` of them, all of which hold. */
  readonly checks: readonly SignatureCheck[];
  readonly publicKeys: readonly Uint8Array[];
  /** The key of each check as node:crypto wants it, imported once. */
  readonly keyObjects: readonly KeyObject[];
}

interface KeyPair {
  readonly publicKey: Uint8Array;
  readonly keyObject: KeyObject;
  readonly privateKey: KeyObject;
}

/** Signed by `keys` different keys at random; when there are as many keys as signatures, each signs one. */
export function makeSignatures(keys: number): SignatureCorpus {
  const pairs = Array.from({ length: keys }, makeKeyPair);
  const signers = Array.from(
    { length: SIGNATURES },
    (_, index) => pairs[keys === SIGNATURES ? index : randomInt(keys)] as KeyPair,
  );
  return {
    checks: signers.map(({ publicKey, privateKey }) => {
      const message = Buffer.from(randomBytes(MESSAGE_RANDOM_BYTES).toString('base64url'), 'latin1');
      return { publicKey, signature: sign(null, message, privateKey), message };
    }),
    publicKeys: pairs.map(({ publicKey }) => publicKey),
    keyObjects: signers.map(({ keyObject }) => keyObject),
  };
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
  const { publicKey: keyObject, privateKey } = generateKeyPairSync('ed25519');
  // The raw key ends the DER form. Not by way of a JWK: Node 20 may lock up when memory is collected meanwhile,
  // since it holds the key's lock while it allocates, and freeing the generator's job takes the same lock.
  const publicKey = keyObject.export({ format: 'der', type: 'spki' }).subarray(-32);
  return { publicKey, keyObject, privateKey };
}
