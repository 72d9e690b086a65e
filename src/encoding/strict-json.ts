/**
 * Strict JSON: RFC 8259 grammar, of which JSON.parse is the judge, narrowed to what two readers cannot read
 * differently (after RFC 7493, I-JSON): well-formed UTF-8, no byte order mark, no duplicate names at any
 * depth, at most {@link MAX_JSON_DEPTH} containers deep. `__proto__` is an ordinary name.
 */
import { isUtf8 } from 'node:buffer';

/** Deepest nesting of arrays and objects accepted; the outermost container counts as one. */
export const MAX_JSON_DEPTH = 32;

export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;
export interface JsonObject {
  [name: string]: JsonValue;
}

/** Why a text was refused; a closed list, safe to show since it carries nothing of the text. */
export type JsonFault =
  | 'not well-formed UTF-8'
  | 'nested too deep'
  | 'too many values'
  | 'not JSON'
  | 'duplicate member name';

export type StrictJson = { readonly ok: true; readonly value: JsonValue; readonly text: string } | Refusal;
interface Refusal {
  readonly ok: false;
  readonly fault: JsonFault;
}

/** Parses bytes. A byte order mark survives decoding as U+FEFF, which the grammar then refuses. */
export function parseStrictJsonBytes(bytes: Uint8Array, mostTokens = Number.POSITIVE_INFINITY): StrictJson {
  if (!isUtf8(bytes)) return { ok: false, fault: 'not well-formed UTF-8' };
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  return parseStrictJson(text, mostTokens);
}

/**
 * Parses text.
 *
 * Duplicate names are found by counting: outside strings, each colon of a valid text introduces one member,
 * and JSON.parse keeps only the last of equal names, so a value with fewer members than the text has colons
 * had duplicates (whatever escapes spelled them).
 *
 * `mostTokens`: opening braces and brackets, colons and commas. JSON.parse takes seconds for 16 MiB of empty objects or of
 * names that all differ; who takes large texts from strangers says how many a right one can have.
 */
export function parseStrictJson(text: string, mostTokens = Number.POSITIVE_INFINITY): StrictJson {
  const colons = scan(text, mostTokens);
  if (colons === TOO_DEEP) return { ok: false, fault: 'nested too deep' };
  if (colons === TOO_MANY) return { ok: false, fault: 'too many values' };
  let value: JsonValue;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, fault: 'not JSON' };
  }
  if (countMembers(value) !== colons) return { ok: false, fault: 'duplicate member name' };
  return { ok: true, value, text };
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const TOO_DEEP = -1;
const TOO_MANY = -2;

/** Counts colons outside strings, unless the text nests too deep or holds too many tokens. Grammar is not checked here. */
function scan(text: string, mostTokens: number): number {
  let colons = 0;
  let others = 0;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      i = endOfString(text, i + 1);
      continue;
    }
    if (code === COLON) {
      colons++;
    } else if (code === COMMA) {
      others++;
    } else if (code === 0x7b || code === 0x5b) {
      others++;
      if (++depth > MAX_JSON_DEPTH) return TOO_DEEP;
    } else if (code === 0x7d || code === 0x5d) {
      depth--;
    }
    if (colons + others > mostTokens) return TOO_MANY;
  }
  return colons;
}

/** Index of the quote that closes the string whose content begins at `from` (the text's end if none does). */
function endOfString(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) return i;
    if (code === BACKSLASH) i++;
  }
  return text.length;
}

/** Members of all objects in a value; recursion is bounded by MAX_JSON_DEPTH. */
function countMembers(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0;
  let members = 0;
  if (Array.isArray(value)) {
    for (const element of value) members += countMembers(element);
    return members;
  }
  for (const name of Object.keys(value)) members += 1 + countMembers(value[name] as JsonValue);
  return members;
}
