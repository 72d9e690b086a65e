/**
 * Strict base64url (RFC 4648 section 5, as RFC 7515 section 2 profiles it): no padding, no other alphabet,
 * no white space, and no stray trailing bits, so that every byte string has exactly one spelling.
 */

const INVALID = 0xff;

/** Six-bit value of each ASCII code, INVALID where the alphabet has none. */
const VALUE = new Uint8Array(256).fill(INVALID);
for (const [value, symbol] of [
  ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
].entries()) {
  VALUE[symbol.charCodeAt(0)] = value;
}

/**
 * Decodes `text[start, end)`.
 *
 * @returns the bytes, or `undefined` when the text is not the one canonical spelling of any byte string.
 */
export function decodeBase64url(text: string, start = 0, end = text.length): Buffer | undefined {
  const length = end - start;
  const tail = length & 3;
  if (tail === 1) return undefined;
  const bytes = Buffer.allocUnsafe((length >> 2) * 3 + (tail === 0 ? 0 : tail - 1));
  let at = 0;
  const fullEnd = end - tail;
  for (let i = start; i < fullEnd; i += 4) {
    const a = sextet(text, i);
    const b = sextet(text, i + 1);
    const c = sextet(text, i + 2);
    const d = sextet(text, i + 3);
    // Valid sextets stay below 64, so the union exceeds it if and only if one of the four is INVALID.
    if ((a | b | c | d) > 63) return undefined;
    bytes[at++] = (a << 2) | (b >> 4);
    bytes[at++] = (b << 4) | (c >> 2);
    bytes[at++] = (c << 6) | d;
  }
  if (tail === 0) return bytes;
  const a = sextet(text, fullEnd);
  const b = sextet(text, fullEnd + 1);
  const c = tail === 3 ? sextet(text, fullEnd + 2) : 0;
  if ((a | b | c) > 63) return undefined;
  const strayBits = tail === 2 ? b & 0x0f : c & 0x03;
  if (strayBits !== 0) return undefined;
  bytes[at++] = (a << 2) | (b >> 4);
  if (tail === 3) bytes[at++] = (b << 4) | (c >> 2);
  return bytes;
}

function sextet(text: string, index: number): number {
  const code = text.charCodeAt(index);
  return code < 256 ? (VALUE[code] as number) : INVALID;
}

/** Encodes bytes without padding. */
export function encodeBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}
