/**
 * The name by which a proof is known here and in Redis: a keyed hash of what its holder signed. Not of the whole text,
 * since the signature is what somebody else may write differently.
 */
import { createHmacSha256 } from '../hmac.ts';
import { ID_BYTES } from './taking.ts';

/** `key` is the secret's `replayKey`: nothing but proofs is hashed under it. */
export function createProofIdentity(key: Uint8Array): (signingInput: Uint8Array) => Uint8Array {
  const hmac = createHmacSha256(key);
  return (signingInput) => {
    const digest = hmac(signingInput);
    const id = new Uint8Array(ID_BYTES);
    for (let i = 0; i < ID_BYTES; i++) id[i] = digest.charCodeAt(i);
    return id;
  };
}
