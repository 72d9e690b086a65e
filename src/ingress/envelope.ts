/**
 * Request bodies to verification requests. The envelope is the caller's, and a fault in it is a 400 that
 * names the member; the credential inside is the phone's, and a fault in that is a verdict.
 */
import { LIMITS } from '../config.ts';
import { parseRfc3339 } from '../encoding/rfc3339.ts';
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseStrictJsonBytes,
} from '../encoding/strict-json.ts';
import type { VerificationRequest } from '../gateway.ts';
import type { Problem } from './problem.ts';

export type Envelope<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: Problem };

/** Members that the contract knows: any other is refused, so that no caller takes an ignored one for a checked one. */
const SINGLE_MEMBERS = ['credential', 'holderProof', 'audience', 'nonce', 'channel', 'at'];
const ITEM_MEMBERS = ['credential', 'holderProof'];
const CHANNELS = ['qr', 'nfc', 'remote'];

/** The content types of a bare credential; the body is the credential, to the last byte. */
const BARE_MEDIA_TYPES = ['application/jwt', 'text/plain'];

export const SINGLE_MEDIA_TYPES = ['application/json', ...BARE_MEDIA_TYPES];
export const BATCH_BODY_MEDIA_TYPES = ['application/json', 'text/plain'];

/** What a single call may ask beside what an item of a batch may. */
export interface SingleRequest extends VerificationRequest {
  /** The instant asked about, if it is not now (milliseconds since the epoch). */
  readonly atMs?: number | undefined;
}

/** Body of `POST /v1/verify`. `allowAt`: whether the caller may ask about another instant. */
export function parseSingle(body: Buffer, allowAt: boolean): Envelope<SingleRequest> {
  const envelope = parseObject(body);
  if (!envelope.ok) return envelope;
  return singleRequest(envelope.value, allowAt);
}

/**
 * Body of `POST /v1/verify/batch`: the requests in the order sent. Bodies are read as they arrive; this is what a whole
 * one means, and the judge of what is wrong with one. `before`: items that stand before the body's own.
 */
export function parseBatch(type: string, body: Buffer, before = 0): Envelope<VerificationRequest[]> {
  if (type === 'text/plain') return parseLines(body);
  const envelope = parseObject(body);
  if (!envelope.ok) return envelope;
  const { credentials, ...others } = envelope.value;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) return bad('the body has a member other than credentials');
  if (!Array.isArray(credentials)) return bad('credentials must be an array');
  if (before + credentials.length > LIMITS.batchItems) return tooMany();
  const requests: VerificationRequest[] = [];
  for (const [index, item] of credentials.entries()) {
    const request = batchItem(item, `credentials[${before + index}]`);
    if (!request.ok) return request;
    requests.push(request.value);
  }
  return { ok: true, value: requests };
}

/** One credential a line; lines end in LF or CRLF, and the end of the body ends the last line too. */
function parseLines(body: Buffer): Envelope<VerificationRequest[]> {
  const lines = body.toString('latin1').split('\n', LIMITS.batchItems + 2);
  if (lines.at(-1) === '') lines.pop();
  if (lines.length > LIMITS.batchItems) return tooMany();
  const requests = lines.map((line) => ({ credential: line.endsWith('\r') ? line.slice(0, -1) : line }));
  return { ok: true, value: requests };
}

/** What an envelope is once `firstFault` has found none. */
interface SingleEnvelope {
  readonly credential: string;
  readonly holderProof?: string;
  readonly audience?: string;
  readonly nonce?: string;
  readonly at?: string;
}

function singleRequest(envelope: JsonObject, allowAt: boolean): Envelope<SingleRequest> {
  const fault = firstFault(envelope, SINGLE_MEMBERS, '');
  if (fault !== undefined) return bad(fault);
  const { channel } = envelope;
  if (channel !== undefined && !CHANNELS.includes(channel as string)) {
    return bad(`channel must be one of ${CHANNELS.join(', ')}`);
  }
  // From afar anybody can pass a proof on within its window; only what this caller has just asked for says that it is new.
  if (channel === 'remote' && !Object.hasOwn(envelope, 'nonce')) return bad('channel remote needs a nonce');
  const { credential, holderProof, audience, nonce, at } = envelope as unknown as SingleEnvelope;
  // A field that its sender left empty names nothing, and must not do away with the window.
  if (nonce === '') return bad('nonce must not be empty');
  if (at === undefined) return { ok: true, value: { credential, holderProof, audience, nonce } };
  if (!allowAt) {
    return { ok: false, problem: { type: 'forbidden', detail: 'the caller may not choose at' } };
  }
  const atMs = parseRfc3339(at);
  if (atMs === undefined) return bad('at must be an instant by RFC 3339');
  return { ok: true, value: { credential, holderProof, audience, nonce, atMs } };
}

function batchItem(item: JsonValue, place: string): Envelope<VerificationRequest> {
  if (typeof item === 'string') return { ok: true, value: { credential: item } };
  if (!isJsonObject(item)) return bad(`${place} must be a string or an object`);
  const fault = firstFault(item, ITEM_MEMBERS, `${place}.`);
  if (fault !== undefined) return bad(fault);
  const { credential, holderProof } = item as unknown as SingleEnvelope;
  return { ok: true, value: { credential, holderProof } };
}

/** The first member that is unknown or no string, or the missing credential; names come from our list alone. */
function firstFault(object: JsonObject, members: readonly string[], place: string): string | undefined {
  for (const [name, value] of Object.entries(object)) {
    if (!members.includes(name))
      return `${place === '' ? 'the body' : place.slice(0, -1)} has an unknown member`;
    if (typeof value !== 'string') return `${place}${name} must be a string`;
  }
  return Object.hasOwn(object, 'credential') ? undefined : `${place}credential is missing`;
}

/**
 * Commas, colons and opening brackets in a body. An item of a batch has five at most, with the comma behind it; that there
 * is room for four times as many lets a batch of far too many items be called so. A wrong body of 16 MiB without this bound
 * would hold up its thread for seconds.
 */
const MOST_MARKS = 20 * LIMITS.batchItems;

/** Any body that must be one strict JSON object. */
export function parseObject(body: Uint8Array): Envelope<JsonObject> {
  const json = parseStrictJsonBytes(body, MOST_MARKS);
  if (!json.ok) return bad(`the body is refused: ${json.fault}`);
  return isJsonObject(json.value) ? { ok: true, value: json.value } : bad('the body must be a JSON object');
}

function bad(detail: string): { ok: false; problem: Problem } {
  return { ok: false, problem: { type: 'bad-envelope', detail } };
}

function tooMany(): { ok: false; problem: Problem } {
  return { ok: false, problem: tooManyItems() };
}

export function tooManyItems(): Problem {
  return { type: 'too-many-items', detail: `at most ${LIMITS.batchItems} items a batch` };
}
