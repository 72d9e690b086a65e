/** Strings of JSON in a text of which only a part is there: where they end, and where they may be cut. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LETTER_U = 0x75;

/** Place of the quote that closes the string whose content begins at `from`; -1 when it is not there yet. */
export function endOfString(bytes: Uint8Array, from: number, to: number): number {
  for (let at = from; at < to; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at++;
  }
  return -1;
}

/**
 * The last place in `[from, to]` that is in the middle neither of an escape nor of a character: what stands before and
 * what stands behind it are right as strings of their own if, and only if, all of it is.
 */
export function cutOfString(bytes: Uint8Array, from: number, to: number): number {
  for (let at = from; at < to; at++) {
    if (bytes[at] !== BACKSLASH) continue;
    const escapeEnd = at + (bytes[at + 1] === LETTER_U ? 6 : 2);
    if (escapeEnd > to) return at;
    at = escapeEnd - 1;
  }
  // UTF-8: the first byte of a character, among the last three, says how many follow it.
  for (let back = 1; back <= 3 && to - back >= from; back++) {
    const byte = bytes[to - back] as number;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? to - back : to;
  }
  return to;
}
