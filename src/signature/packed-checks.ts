/**
 * Checks in flat arrays: the form in which the native engine takes a batch, and the one place where checks are
 * brought into it. Packing costs some thirty nanoseconds a check, so its arrays are made once and used again.
 */
import type { PackedChecks, SignatureCheck, SignatureEngine } from './engine.ts';
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from './rule.ts';

/**
 * Checks packed at once: beyond, a batch is packed and judged in parts, so that the arrays stay within the
 * processor's second-level cache and within bounds of their own.
 */
const PACKED_CHECKS = 512;
/** Room for the messages at first; one larger message makes it grow, and it stays so. */
const MESSAGE_BYTES = 256 * 1024;

/** All ones: S is above L, so a check of the wrong lengths is refused wherever it stands. */
const MALFORMED = 0xff;

export interface Packer {
  /** Packs checks from `start` on, as many as fit, one at least; valid until the next call. */
  pack(checks: readonly SignatureCheck[], start: number): PackedChecks;
}

export function createPacker(): Packer {
  const publicKeys = new Uint8Array(PACKED_CHECKS * PUBLIC_KEY_BYTES);
  const keyOf = new Uint32Array(PACKED_CHECKS);
  const signatures = new Uint8Array(PACKED_CHECKS * SIGNATURE_BYTES);
  const messageEnds = new Uint32Array(PACKED_CHECKS);
  const verdicts = new Uint8Array(PACKED_CHECKS);
  let messages = new Uint8Array(MESSAGE_BYTES);

  return {
    pack(checks, start) {
      const stop = Math.min(checks.length, start + PACKED_CHECKS);
      let count = 0;
      let keys = 0;
      let lastKey: Uint8Array | undefined;
      let messageEnd = 0;
      for (let at = start; at < stop; at++) {
        const { publicKey, signature, message } = checks[at] as SignatureCheck;
        if (messageEnd + message.length > messages.length) {
          if (count > 0) break;
          messages = new Uint8Array(message.length);
        }
        if (publicKey.length === PUBLIC_KEY_BYTES && signature.length === SIGNATURE_BYTES) {
          // The same object holds the same bytes throughout one call; equal bytes elsewhere are found later.
          if (publicKey !== lastKey) {
            publicKeys.set(publicKey, keys * PUBLIC_KEY_BYTES);
            lastKey = publicKey;
            keys++;
          }
          signatures.set(signature, count * SIGNATURE_BYTES);
          keyOf[count] = keys - 1;
        } else {
          signatures.fill(MALFORMED, count * SIGNATURE_BYTES, (count + 1) * SIGNATURE_BYTES);
          keyOf[count] = 0;
        }
        messages.set(message, messageEnd);
        messageEnd += message.length;
        messageEnds[count] = messageEnd;
        count++;
      }
      return { count, publicKeys, keyOf, signatures, messages, messageEnds, verdicts };
    },
  };
}

const ARRAYS = [
  'publicKeys',
  'keyOf',
  'signatures',
  'messages',
  'messageStarts',
  'messageEnds',
  'verdicts',
] as const;

/**
 * Holds the caller to the contract: another thread could change shared memory between an engine's reading and that
 * of the engine it is checked by, and so provoke a disagreement where there is none.
 *
 * @throws TypeError for the first array that stands in shared memory.
 */
export function refuseSharedMemory(packed: PackedChecks): void {
  for (const name of ARRAYS) {
    const array = packed[name];
    if (array !== undefined && !(array.buffer instanceof ArrayBuffer)) {
      throw new TypeError(`${name} must not be in shared memory`);
    }
  }
}

/** The check at an index of a batch, as views into its arrays. */
export function unpackCheck(packed: PackedChecks, index: number): SignatureCheck {
  const key = (packed.keyOf[index] as number) * PUBLIC_KEY_BYTES;
  const signature = index * SIGNATURE_BYTES;
  const { messageStarts, messageEnds } = packed;
  const follows = index === 0 ? 0 : messageEnds[index - 1];
  const messageStart = (messageStarts === undefined ? follows : messageStarts[index]) as number;
  return {
    publicKey: packed.publicKeys.subarray(key, key + PUBLIC_KEY_BYTES),
    signature: packed.signatures.subarray(signature, signature + SIGNATURE_BYTES),
    message: packed.messages.subarray(messageStart, messageEnds[index]),
    isPassing: index >= (packed.passingFrom ?? packed.count),
  };
}

/** Judges a batch in flat arrays by whatever engine: one that takes none is handed the checks one by one. */
export function verifyPackedBy(engine: SignatureEngine, packed: PackedChecks): void {
  if (engine.verifyPacked !== undefined) {
    engine.verifyPacked(packed);
    return;
  }
  const checks = Array.from({ length: packed.count }, (_, index) => unpackCheck(packed, index));
  packed.verdicts.set(engine.verify(checks));
}
