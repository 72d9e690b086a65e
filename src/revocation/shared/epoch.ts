/**
 * The epoch names one life of the log: 8 bytes of generation (big-endian), then 8 random ones.
 *
 * Whoever founds a new life takes a generation above all it has seen, so a later life shows itself as later;
 * the random half tells two lives apart that were founded under one generation by gateways that could not see
 * each other.
 */
import { randomBytes } from 'node:crypto';

export const EPOCH_BYTES = 16;

/** Of a store made anew. */
export const FIRST_GENERATION = 1n;

/** `random`: 8 bytes; given by whoever needs the same ones again, a simulation. */
export function newEpoch(generation: bigint, random: Buffer = randomBytes(8)): Buffer {
  const epoch = Buffer.alloc(EPOCH_BYTES);
  epoch.writeBigUInt64BE(generation);
  random.copy(epoch, 8);
  return epoch;
}

export function generationOf(epoch: Buffer): bigint {
  return epoch.readBigUInt64BE();
}

/**
 * Whether `a` is a later life than `b`. Among equal generations the random half decides: arbitrary, but alike
 * on every gateway, so that all of them end in the same one.
 */
export function isLater(a: Buffer, b: Buffer): boolean {
  if (a.length !== EPOCH_BYTES || b.length !== EPOCH_BYTES) throw new RangeError('epoch length');
  return Buffer.compare(a, b) > 0;
}
