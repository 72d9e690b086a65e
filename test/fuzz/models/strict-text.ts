/** What the models of all targets have in common: bytes to text and JSON by other code than the gateway's own. */
import { readReferenceJson } from '../../encoding/reference-json.ts';

/** A byte order mark stays, for the grammar of JSON to refuse. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

export type Members = Readonly<Record<string, unknown>>;

/** A strict JSON value; `undefined` stands for none, which no JSON value is. */
export function jsonOf(bytes: Uint8Array): unknown {
  const text = textOf(bytes);
  const read = text === undefined ? undefined : readReferenceJson(text, 32);
  return read?.ok === true ? read.value : undefined;
}

export function objectOf(bytes: Uint8Array): Members | undefined {
  const value = jsonOf(bytes);
  return isObject(value) ? value : undefined;
}

export function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function hasOnly(value: Members, names: readonly string[]): boolean {
  return Object.keys(value).every((name) => names.includes(name));
}

/** RFC 4648 section 5 without padding: bytes that are spelled in no other way. */
export function base64urlOf(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
