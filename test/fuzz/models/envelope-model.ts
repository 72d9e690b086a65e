/** What the contract says of envelopes (docs: OpenAPI), read by the reference reader of JSON and nothing of the gateway's. */
import { modelInstant } from './instant-model.ts';
import { hasOnly, isObject, type Members, objectOf } from './strict-text.ts';

export interface ModelItem {
  readonly credential: string;
  readonly holderProof: string | undefined;
}
export interface ModelCall extends ModelItem {
  readonly audience: string | undefined;
  readonly nonce: string | undefined;
  readonly atMs?: number;
}

const SINGLE = ['credential', 'holderProof', 'audience', 'nonce', 'channel', 'at'];

/** A single call; `undefined`: refused. `allowAt`: by a caller that may choose `at`. */
export function modelSingle(body: Buffer, allowAt: boolean): ModelCall | undefined {
  const envelope = objectOf(body);
  if (envelope === undefined || !areStrings(envelope, SINGLE)) return undefined;
  const { channel, at } = envelope;
  const nonce = memberOf(envelope, 'nonce');
  if (nonce === '') return undefined;
  if (channel !== undefined && !/^(?:qr|nfc|remote)$/.test(channel as string)) return undefined;
  if (channel === 'remote' && nonce === undefined) return undefined;
  const called = { ...itemOf(envelope), audience: memberOf(envelope, 'audience'), nonce };
  if (at === undefined) return called;
  const atMs = allowAt ? modelInstant(at as string) : undefined;
  return atMs === undefined ? undefined : { ...called, atMs };
}

export function modelBatch(body: Buffer): readonly ModelItem[] | undefined {
  const envelope = objectOf(body);
  if (envelope === undefined || !hasOnly(envelope, ['credentials'])) return undefined;
  const { credentials } = envelope;
  if (!Array.isArray(credentials)) return undefined;
  const items = credentials.map((item: unknown) => {
    if (typeof item === 'string') return { credential: item, holderProof: undefined };
    return isObject(item) && areStrings(item, ['credential', 'holderProof']) ? itemOf(item) : undefined;
  });
  return items.every((item) => item !== undefined) ? items : undefined;
}

/** Lines end in LF or CRLF; the one that the body's end ends is one too, unless it is empty. */
export function modelLines(body: Buffer): readonly ModelItem[] {
  const lines: ModelItem[] = [];
  for (let at = 0; at < body.length; ) {
    const lf = body.indexOf(0x0a, at);
    const end = lf < 0 ? body.length : lf;
    const line = body.toString('latin1', at, end).replace(/\r$/, '');
    lines.push({ credential: line, holderProof: undefined });
    at = end + 1;
  }
  return lines;
}

/** Known names with strings, a credential among them. */
function areStrings(value: Members, names: readonly string[]): boolean {
  if (!hasOnly(value, names) || !Object.hasOwn(value, 'credential')) return false;
  return Object.values(value).every((member) => typeof member === 'string');
}

function itemOf(value: Members): ModelItem {
  return { credential: value.credential as string, holderProof: memberOf(value, 'holderProof') };
}

/** Of its own, never of what it inherits. */
function memberOf(value: Members, name: string): string | undefined {
  return Object.hasOwn(value, name) ? (value[name] as string) : undefined;
}
