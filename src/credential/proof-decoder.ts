/**
 * Decodes holder proofs in bulk, by native code: those that are plain, of credentials that were decoded in bulk. Everything
 * else is left to the reference decoder, `holder-proof.ts`.
 */
import type { NativeAddon } from '../native/addon.ts';

/** The arrays of a slice that decoding reads and fills; see NativeAddon.decodeProofs. */
export interface ProofArrays {
  readonly texts: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  readonly proofStarts: Uint32Array;
  readonly proofEnds: Uint32Array;
  readonly payloads: Uint8Array;
  readonly rows: Uint32Array;
}

/** What is made of the proofs, by their places among those asked for. */
export interface DecodedProofs {
  /** Whose proofs they are. */
  readonly items: Uint32Array;
  readonly payloads: Uint8Array;
  readonly signatures: Uint8Array;
  readonly rows: Uint32Array;
  readonly dates: Float64Array;
}

/** Returns how many of the `count` were decoded, whose holders' keys are then in `keys`. */
export type ProofDecoder = (
  arrays: ProofArrays,
  count: number,
  proofs: DecodedProofs,
  keys: Uint8Array,
) => number;

export function createProofDecoder(addon: NativeAddon): ProofDecoder {
  return ({ texts, starts, ends, proofStarts, proofEnds, payloads, rows }, count, proofs, keys) => {
    const read = [texts, starts, ends, proofStarts, proofEnds, proofs.items, count, payloads, rows] as const;
    return addon.decodeProofs(...read, proofs.payloads, proofs.signatures, keys, proofs.rows, proofs.dates);
  };
}
