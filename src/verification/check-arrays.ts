/** The flat arrays in which checks of signatures are put to an engine. */
import { SIGNATURE_BYTES } from '../signature/rule.ts';

/** What an engine is asked, and what it answers in `bytes`, by the number of the check. */
export interface CheckArrays {
  /** Whose check it is. */
  readonly items: Uint32Array;
  readonly keyOf: Uint32Array;
  readonly messageStarts: Uint32Array;
  readonly messageEnds: Uint32Array;
  readonly packedSignatures: Uint8Array;
  readonly bytes: Uint8Array;
}

export function createCheckArrays(checks: number): CheckArrays {
  const words = () => new Uint32Array(checks);
  return {
    items: words(),
    keyOf: words(),
    messageStarts: words(),
    messageEnds: words(),
    packedSignatures: new Uint8Array(SIGNATURE_BYTES * checks),
    bytes: new Uint8Array(checks),
  };
}
