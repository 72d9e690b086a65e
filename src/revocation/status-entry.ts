/**
 * One entry of the status data, as it stands in the store and in the log: 44 bytes with a MAC under the
 * deployment's secret. The card (or issuer key) is its 16-byte keyed hash; there is no identifier in it.
 *
 * | offset | bytes | content                                                  |
 * |      0 |     1 | schema version                                           |
 * |      1 |     1 | status code                                              |
 * |      2 |     1 | reason code, 0 for none                                  |
 * |      3 |     1 | 1 when the entry only extends the one before it          |
 * |      4 |     8 | since: milliseconds since the epoch, float64             |
 * |     12 |     8 | expiry: seconds since the epoch, float64, +Infinity never |
 * |     20 |     8 | sequence number, float64                                 |
 * |     28 |    16 | HMAC-SHA256 over hash and the 28 bytes before, truncated |
 */
import { timingSafeEqual } from 'node:crypto';
import { CARD_STATUSES, type CardStatus, STATUS_REASONS, type StatusReason } from '../card-status.ts';
import { hmacSha256 } from '../hmac.ts';
import { HASH_BYTES } from './card-hash.ts';

/** An issuer key withdrawn in an emergency travels as an entry too, under its own hash domain. */
export const KEY_RETIRED = 'key-retired';
const ENTRY_STATUSES = [...CARD_STATUSES, KEY_RETIRED] as const;

export interface StatusEntry {
  readonly status: CardStatus | typeof KEY_RETIRED;
  readonly why: StatusReason | undefined;
  /** Milliseconds since the epoch at which this status began. */
  readonly sinceMs: number;
  /** Seconds since the epoch, the latest ever named for this card, Infinity if none was: a caller's claim. */
  readonly expiresAt: number;
  readonly seq: number;
  /** The status stood already; only its expiry moved. */
  readonly extendsOnly: boolean;
}

/** An entry of a card. */
export type CardEntry = StatusEntry & { readonly status: CardStatus };

const SCHEMA_VERSION = 1;
/** Where an entry's status code and sequence number stand. */
export const ENTRY_STATUS_AT = 1;
export const ENTRY_SEQ_AT = 20;
const MAC_AT = 28;
const MAC_BYTES = 16;
export const ENTRY_BYTES = MAC_AT + MAC_BYTES;

export function encodeEntry(macKey: Uint8Array, hash: Uint8Array, entry: StatusEntry): Buffer {
  const bytes = Buffer.alloc(ENTRY_BYTES);
  bytes[0] = SCHEMA_VERSION;
  bytes[1] = statusCode(entry.status);
  bytes[2] = reasonCode(entry.why);
  bytes[3] = entry.extendsOnly ? 1 : 0;
  bytes.writeDoubleBE(entry.sinceMs, 4);
  bytes.writeDoubleBE(entry.expiresAt, 12);
  bytes.writeDoubleBE(entry.seq, 20);
  entryMac(macKey, hash, bytes).copy(bytes, MAC_AT);
  return bytes;
}

/** The entry, or `undefined` when the bytes are not what the secret's holder wrote for this hash. */
export function decodeEntry(
  macKey: Uint8Array,
  hash: Uint8Array,
  bytes: Uint8Array,
): StatusEntry | undefined {
  if (hash.length !== HASH_BYTES || bytes.length !== ENTRY_BYTES) return undefined;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!timingSafeEqual(view.subarray(MAC_AT), entryMac(macKey, hash, view))) return undefined;
  const status = ENTRY_STATUSES[view[1] as number];
  const why = view[2] === 0 ? undefined : STATUS_REASONS[(view[2] as number) - 1];
  // Behind a good MAC these mean a later version's record, which this one must not guess at.
  if (view[0] !== SCHEMA_VERSION || status === undefined || (view[2] !== 0 && why === undefined)) {
    return undefined;
  }
  return {
    status,
    why,
    sinceMs: view.readDoubleBE(4),
    expiresAt: view.readDoubleBE(12),
    seq: view.readDoubleBE(20),
    extendsOnly: view[3] === 1,
  };
}

/** Authentic, but of a schema that this release does not know: not a forgery, and nothing to mend. */
export function isOfLaterSchema(macKey: Uint8Array, hash: Uint8Array, bytes: Uint8Array): boolean {
  if (hash.length !== HASH_BYTES || bytes.length !== ENTRY_BYTES || bytes[0] === SCHEMA_VERSION) return false;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return timingSafeEqual(view.subarray(MAC_AT), entryMac(macKey, hash, view));
}

export function isCardEntry(entry: StatusEntry): entry is CardEntry {
  return entry.status !== KEY_RETIRED;
}

export function statusCode(status: StatusEntry['status']): number {
  return ENTRY_STATUSES.indexOf(status);
}

export function reasonCode(why: StatusReason | undefined): number {
  return why === undefined ? 0 : STATUS_REASONS.indexOf(why) + 1;
}

/** Fields read before the MAC is checked: for the pass over all entries at start, nowhere else. */
export function peekEntry(bytes: Buffer): { status: StatusEntry['status'] | undefined; expiresAt: number } {
  return { status: ENTRY_STATUSES[bytes[1] as number], expiresAt: bytes.readDoubleBE(12) };
}

/** What is read of an entry whose MAC the caller has checked already, without checking it again. */
export interface AuthenticFields {
  readonly status: StatusEntry['status'] | undefined;
  readonly sinceMs: number;
  readonly expiresAt: number;
  readonly seq: number;
  readonly extendsOnly: boolean;
}

/** Fields of an authenticated entry; `bytes` has {@link ENTRY_BYTES}. */
export function authenticFields(bytes: Buffer): AuthenticFields {
  return {
    status: ENTRY_STATUSES[bytes[ENTRY_STATUS_AT] as number],
    sinceMs: bytes.readDoubleBE(4),
    expiresAt: bytes.readDoubleBE(12),
    seq: bytes.readDoubleBE(ENTRY_SEQ_AT),
    extendsOnly: bytes[3] === 1,
  };
}

function entryMac(macKey: Uint8Array, hash: Uint8Array, record: Buffer): Buffer {
  return hmacSha256(macKey, hash, record.subarray(0, MAC_AT)).subarray(0, MAC_BYTES);
}
