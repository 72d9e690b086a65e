/**
 * What the 32 bytes that stand for a point of Ed25519 say without any arithmetic (RFC 8032 section 5.1.2): y,
 * little-endian in 255 bits, and the sign of x in the highest bit.
 */

export const POINT_BYTES = 32;

/**
 * The y coordinates, little-endian without the sign bit, of the points whose order divides 8: 0, 1 and p - 1,
 * the two of order 8, and p and p + 1, the second spellings of 0 and 1 that fit 255 bits.
 */
const LOW_ORDER_Y = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
];

/** All 14 spellings, either sign bit, in lower-case hexadecimal. */
export const LOW_ORDER_ENCODINGS: readonly string[] = LOW_ORDER_Y.flatMap((y) => {
  const signed = Buffer.from(y, 'hex');
  signed[31] = (signed[31] as number) | 0x80;
  return [y, signed.toString('hex')];
});

const lowOrderEncodings = new Set(LOW_ORDER_ENCODINGS);
/** Their highest bytes, but for the sign: nearly every other point is told from them by this byte alone. */
const lowOrderTops = new Set(LOW_ORDER_Y.map((y) => Number.parseInt(y.slice(-2), 16)));

/** Whether the first 32 bytes spell a point of low order. */
export function isLowOrderEncoding(encoding: Uint8Array): boolean {
  if (!lowOrderTops.has((encoding[31] as number) & 0x7f)) return false;
  return lowOrderEncodings.has(
    Buffer.from(encoding.buffer, encoding.byteOffset, POINT_BYTES).toString('hex'),
  );
}

/**
 * Whether the first 32 bytes are the one spelling of whatever point they stand for (RFC 8032 section 5.1.3): y below
 * p = 2^255 - 19, and no sign on x = 0, which is so exactly for y = 1 and y = p - 1.
 */
export function isCanonicalEncoding(encoding: Uint8Array): boolean {
  const top = encoding[31] as number;
  const isSigned = top > 0x7f;
  const low = encoding[0] as number;
  if ((top & 0x7f) === 0x7f && middleIs(encoding, 0xff)) return low < 0xed && !(isSigned && low === 0xec);
  return !(isSigned && top === 0x80 && low === 1 && middleIs(encoding, 0));
}

/** Whether all bytes but the first and the last are this one. */
function middleIs(encoding: Uint8Array, byte: number): boolean {
  for (let i = 1; i < POINT_BYTES - 1; i++) if (encoding[i] !== byte) return false;
  return true;
}
