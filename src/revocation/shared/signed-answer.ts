/**
 * The answer remembered in the shared log under an Idempotency-Key: sequence number (float64), digest of the
 * changes (32 bytes), MAC. Without the MAC whoever can write into Redis could have a revocation "acknowledged"
 * that nobody ever made; it covers the key's hash and the life of the log too, so that no answer moves.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { RememberedAnswer } from '../idempotency.ts';

const CHANGES_AT = 8;
const MAC_AT = CHANGES_AT + 32;
const MAC_BYTES = 16;

export function encodeAnswer(
  macKey: Uint8Array,
  epoch: Buffer,
  keyHash: Buffer,
  answer: RememberedAnswer,
): Buffer {
  const bytes = Buffer.alloc(MAC_AT + MAC_BYTES);
  bytes.writeDoubleBE(answer.seq, 0);
  answer.changes.copy(bytes, CHANGES_AT);
  answerMac(macKey, epoch, keyHash, bytes).copy(bytes, MAC_AT);
  return bytes;
}

/** `undefined`: not what a gateway of this deployment answered to this key in this life. */
export function decodeAnswer(
  macKey: Uint8Array,
  epoch: Buffer,
  keyHash: Buffer,
  bytes: Buffer,
): RememberedAnswer | undefined {
  if (bytes.length !== MAC_AT + MAC_BYTES) return undefined;
  if (!timingSafeEqual(bytes.subarray(MAC_AT), answerMac(macKey, epoch, keyHash, bytes))) return undefined;
  return { seq: bytes.readDoubleBE(0), changes: Buffer.from(bytes.subarray(CHANGES_AT, MAC_AT)) };
}

function answerMac(macKey: Uint8Array, epoch: Buffer, keyHash: Buffer, bytes: Buffer): Buffer {
  const mac = createHmac('sha256', macKey).update('vigie/1/answer').update(epoch).update(keyHash);
  return mac.update(bytes.subarray(0, MAC_AT)).digest().subarray(0, MAC_BYTES);
}
