/**
 * The name by which a proof is known here and in Redis: a keyed hash of what its holder signed, HMAC-SHA256 cut to 128
 * bits. Not of the whole text, since the signature is what somebody else may write differently.
 */
import { createHmacSha256 } from '../hmac.ts';
import type { NativeAddon } from '../native/addon.ts';
import type { ReplayGuard } from './replay-guard.ts';
import { ID_BYTES } from './taking.ts';

/** `key` is the secret's `replayKey`: nothing but proofs is hashed under it. By native code where there is any. */
export function createProofIdentity(
  key: Uint8Array,
  addon: NativeAddon | undefined,
): ReplayGuard['identify'] {
  if (addon !== undefined) {
    const hasher = addon.createProofHasher(key);
    return (texts, starts, ends, count, ids) => addon.identifyProofs(hasher, texts, starts, ends, count, ids);
  }
  const hmac = createHmacSha256(key);
  return (texts, starts, ends, count, ids) => {
    for (let i = 0; i < count; i++) {
      const digest = hmac(texts.subarray(starts[i], ends[i]));
      for (let byte = 0; byte < ID_BYTES; byte++) ids[ID_BYTES * i + byte] = digest.charCodeAt(byte);
    }
  };
}
