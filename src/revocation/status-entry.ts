/**
 * One entry of the status data, as it stands in the store and in the log: 44 bytes with a MAC under the
 * deployment's secret. The card (issuer key, holder) is its 16-byte keyed hash; there is no identifier in it.
 *
 * | offset | bytes | content                                                  |
 * |      0 |     1 | schema version: 2 of a supersede, 1 of all others        |
 * |      1 |     1 | status code                                              |
 * |      2 |     1 | reason code, 0 for none                                  |
 * |      3 |     1 | 1 when the entry only extends the one before it          |
 * |      4 |     8 | since: milliseconds since the epoch, float64             |
 * |     12 |     8 | expiry: seconds since the epoch, float64, +Infinity never |
 * |     20 |     8 | sequence number, float64                                 |
 * |     28 |    16 | HMAC-SHA256 over hash and the 28 bytes before, truncated |
 *
 * A supersede has one number more in the same room. Versions are by the entry, so that an older gateway goes on reading
 * what it knows, and knows what it cannot read:
 *
 * |      4 |     6 | since: milliseconds since the epoch, whole               |
 * |     10 |     2 | expiry: days since the epoch, rounded, 65535 never       |
 * |     12 |     8 | issued before: seconds since the epoch, float64          |
 */
import { timingSafeEqual } from 'node:crypto';
import { CARD_STATUSES, type CardStatus, STATUS_REASONS, type StatusReason } from '../card-status.ts';
import { hmacSha256 } from '../hmac.ts';
import { HASH_BYTES } from './card-hash.ts';

/** An issuer key withdrawn in an emergency travels as an entry too, under its own hash domain. */
export const KEY_RETIRED = 'key-retired';
/** So do the credentials of a holder that were issued before an instant. */
export const SUPERSEDED = 'superseded';
const ENTRY_STATUSES = [...CARD_STATUSES, KEY_RETIRED, SUPERSEDED] as const;

interface EntryFields {
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
export interface CardEntry extends EntryFields {
  readonly status: CardStatus;
}

export interface RetirementEntry extends EntryFields {
  readonly status: typeof KEY_RETIRED;
}

export interface SupersedeEntry extends EntryFields {
  readonly status: typeof SUPERSEDED;
  /** Seconds since the epoch, not negative; `expiresAt` is a whole day (see {@link wholeDay}). */
  readonly issuedBefore: number;
}

export type StatusEntry = CardEntry | RetirementEntry | SupersedeEntry;

const SCHEMA_VERSION = 1;
const SUPERSEDE_VERSION = 2;
/** Where an entry's status code, the instant of a supersede and the sequence number stand. */
export const ENTRY_STATUS_AT = 1;
export const ENTRY_ISSUED_BEFORE_AT = 12;
export const ENTRY_SEQ_AT = 20;
const MAC_AT = 28;
const MAC_BYTES = 16;
export const ENTRY_BYTES = MAC_AT + MAC_BYTES;

export const DAY_SECONDS = 86_400;
const DAYS_NEVER = 0xffff;

/**
 * The expiry that an entry of a supersede can hold: not earlier than named, `Infinity` where it is too far off. But what
 * had passed as the status began goes down: it must not seem to have been still to come then (`filter-horizon.ts`).
 */
export function wholeDay(expiresAt: number, sinceMs: number): number {
  const round = expiresAt * 1000 > sinceMs ? Math.ceil : Math.floor;
  const days = round(Math.max(0, expiresAt) / DAY_SECONDS);
  return days < DAYS_NEVER ? days * DAY_SECONDS : Infinity;
}

export function encodeEntry(macKey: Uint8Array, hash: Uint8Array, entry: StatusEntry): Buffer {
  const bytes = Buffer.alloc(ENTRY_BYTES);
  bytes[1] = statusCode(entry.status);
  bytes[2] = reasonCode(entry.why);
  bytes[3] = entry.extendsOnly ? 1 : 0;
  if (entry.status === SUPERSEDED) {
    bytes[0] = SUPERSEDE_VERSION;
    bytes.writeUIntBE(Math.max(0, Math.round(entry.sinceMs)), 4, 6);
    const days = wholeDay(entry.expiresAt, entry.sinceMs) / DAY_SECONDS;
    bytes.writeUInt16BE(Math.min(DAYS_NEVER, days), 10);
    bytes.writeDoubleBE(entry.issuedBefore, ENTRY_ISSUED_BEFORE_AT);
  } else {
    bytes[0] = SCHEMA_VERSION;
    bytes.writeDoubleBE(entry.sinceMs, 4);
    bytes.writeDoubleBE(entry.expiresAt, 12);
  }
  bytes.writeDoubleBE(entry.seq, ENTRY_SEQ_AT);
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
  const { status, issuedBefore, ...fields } = authenticFields(view);
  const why = view[2] === 0 ? undefined : STATUS_REASONS[(view[2] as number) - 1];
  // Behind a good MAC these mean a later version's record, which this one must not guess at.
  if (!isKnownVersion(view) || status === undefined || (view[2] !== 0 && why === undefined)) {
    return undefined;
  }
  return status === SUPERSEDED ? { status, issuedBefore, why, ...fields } : { status, why, ...fields };
}

/** Authentic, but of a schema that this release does not know: not a forgery, and nothing to mend. */
export function isOfLaterSchema(macKey: Uint8Array, hash: Uint8Array, bytes: Uint8Array): boolean {
  if (hash.length !== HASH_BYTES || bytes.length !== ENTRY_BYTES || isKnownVersion(bytes)) return false;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return timingSafeEqual(view.subarray(MAC_AT), entryMac(macKey, hash, view));
}

function isKnownVersion(bytes: Uint8Array): boolean {
  return bytes[0] === SCHEMA_VERSION || bytes[0] === SUPERSEDE_VERSION;
}

export function isCardEntry(entry: StatusEntry): entry is CardEntry {
  return entry.status !== KEY_RETIRED && entry.status !== SUPERSEDED;
}

export function statusCode(status: StatusEntry['status']): number {
  return ENTRY_STATUSES.indexOf(status);
}

export function reasonCode(why: StatusReason | undefined): number {
  return why === undefined ? 0 : STATUS_REASONS.indexOf(why) + 1;
}

/** Fields read before the MAC is checked: for the pass over all entries at start, nowhere else. */
export function peekEntry(bytes: Buffer): Pick<AuthenticFields, 'status' | 'expiresAt'> {
  return authenticFields(bytes);
}

/** What is read of an entry whose MAC the caller has checked already, without checking it again. */
export interface AuthenticFields {
  readonly status: StatusEntry['status'] | undefined;
  readonly sinceMs: number;
  readonly expiresAt: number;
  readonly seq: number;
  readonly extendsOnly: boolean;
  /** Of a supersede; NaN of all others. */
  readonly issuedBefore: number;
}

/** Fields of an authenticated entry; `bytes` has {@link ENTRY_BYTES}. */
export function authenticFields(bytes: Buffer): AuthenticFields {
  const named = ENTRY_STATUSES[bytes[ENTRY_STATUS_AT] as number];
  const ofSupersede = bytes[0] === SUPERSEDE_VERSION;
  const days = ofSupersede ? bytes.readUInt16BE(10) : DAYS_NEVER;
  return {
    // Each version has its statuses: what is of neither is no entry.
    status: (named === SUPERSEDED) === ofSupersede ? named : undefined,
    sinceMs: ofSupersede ? bytes.readUIntBE(4, 6) : bytes.readDoubleBE(4),
    expiresAt: !ofSupersede ? bytes.readDoubleBE(12) : days === DAYS_NEVER ? Infinity : days * DAY_SECONDS,
    seq: bytes.readDoubleBE(ENTRY_SEQ_AT),
    extendsOnly: bytes[3] === 1,
    issuedBefore: ofSupersede ? bytes.readDoubleBE(ENTRY_ISSUED_BEFORE_AT) : Number.NaN,
  };
}

/**
 * Whether an entry in the place of `old` would undo what is final: make something else of a revocation, or set the
 * instant of a supersede back. Nobody plans that on whole knowledge.
 */
export function liftsFinal(old: Buffer | undefined, entry: Buffer): boolean {
  if (old?.length !== ENTRY_BYTES) return false;
  const [before, after] = [authenticFields(old), authenticFields(entry)];
  if (before.status === 'revoked') return after.status !== 'revoked';
  // Not `<`: what has no instant is no supersede.
  return before.status === SUPERSEDED && !(after.issuedBefore >= before.issuedBefore);
}

function entryMac(macKey: Uint8Array, hash: Uint8Array, record: Buffer): Buffer {
  return hmacSha256(macKey, hash, record.subarray(0, MAC_AT)).subarray(0, MAC_BYTES);
}
