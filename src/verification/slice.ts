/**
 * Credentials under verification, in flat arrays: what one engine batch is made of. The path (`gateway.ts`) goes over
 * them stage by stage; an item that has its reason is passed over by the stages behind.
 *
 * Made once per thread and used again, so that verifying allocates next to nothing: its content holds until the next
 * slice is begun.
 */
import type { DecodedCredential } from '../credential/jws.ts';
import { createDayInParis } from '../credential/rights.ts';
import type { TrustedIssuer, TrustedKey } from '../keys/trusted-key.ts';
import { NO_PLACE } from '../native/addon.ts';
import { ROW_DATES, ROW_WORDS } from '../native/fields.ts';
import { SIGNATURE_BYTES } from '../signature/rule.ts';
import { type CheckArrays, createCheckArrays } from './check-arrays.ts';
import { beginProofs, type SliceProofs } from './slice-proofs.ts';

/** A credential that the reference decoder read, and whose key was looked up by name. */
export interface ReadCredential {
  readonly credential: DecodedCredential;
  issuer: TrustedIssuer | undefined;
  key: TrustedKey | undefined;
}

export interface Slice {
  readonly capacity: number;
  /** Items in use. */
  count: number;
  /** Where the credentials stand, item i in `texts[starts[i], ends[i])`; private to this thread. */
  texts: Uint8Array;
  starts: Uint32Array;
  ends: Uint32Array;
  /** Items that came with a holder proof. Where it is 0, nothing that follows on proofs is looked at. */
  proofCount: number;
  /** Where the proofs stand in `texts`; `proofStarts[i]` is NO_PLACE where item i has none. */
  proofStarts: Uint32Array;
  proofEnds: Uint32Array;
  /** In whose name the caller asks, by item; `undefined` throughout where no call names anybody. */
  audiences: readonly (string | undefined)[] | undefined;
  /** What the proof must repeat, by item, likewise. */
  nonces: readonly (string | undefined)[] | undefined;
  /**
   * The instant that was asked about (milliseconds since the epoch), where it is not now: proofs are then neither held to
   * the window nor used up.
   */
  atMs: number | undefined;
  /** The day on which rights are looked at, of an instant. */
  readonly dayOf: (instantMs: number) => string;

  /** A row an item, see native/fields.ts; a row whose pair is NO_PAIR stands for nothing or for `read`. */
  readonly rows: Uint32Array;
  readonly dates: Float64Array;
  readonly payloads: Uint8Array;
  /** 64 bytes an item that was decoded. */
  readonly signatures: Uint8Array;
  /** By item, where the reference decoder did it. */
  readonly read: (ReadCredential | undefined)[];

  /** Code of the reason (verdict.ts), 0 as long as nothing speaks against the item. */
  readonly reasons: Uint8Array;
  /** What holds: bits of HOLDS (native/fields.ts). */
  readonly holds: Uint8Array;
  /** Made for the first slice that has a proof. */
  proofs: SliceProofs | undefined;
  /** The trust list that judged; `undefined` before the first. */
  trustListVersion: number | undefined;
  /** Cards looked up in this slice: `scratch` has so many items and hashes of them when the path has ended. */
  asked: number;
  /**
   * Of those, holders that were asked for: `scratch.holders` has so many when the path has ended; `undefined` where
   * nothing was superseded, so that nobody was asked for.
   */
  askedHolders: number | undefined;
  readonly scratch: SliceScratch;
}

/** What stages hand to native code; means nothing between two stages, but what the last one leaves (`asked`). */
export interface SliceScratch extends CheckArrays {
  readonly cardHashes: Uint8Array;
  /** Of the items whose holders are asked for, in the form of the arrays above; and when each was issued, NaN: unsaid. */
  readonly holders: Pick<SliceScratch, 'items' | 'cardHashes' | 'bytes'> & { readonly iats: Float64Array };
}

/** Payloads of a slice, about so many bytes an item; what does not fit is decoded by the reference. */
const MAX_PAYLOAD_BYTES = 512 * 1024;
const ITEM_PAYLOAD_BYTES = 4 * 1024;
const NO_TEXTS = new Uint8Array(0);
export const CARD_HASH_BYTES = 16;

export function createSlice(capacity: number): Slice {
  const words = () => new Uint32Array(capacity);
  const bytes = (each = 1) => new Uint8Array(each * capacity);
  return {
    capacity,
    count: 0,
    texts: NO_TEXTS,
    starts: words(),
    ends: words(),
    proofCount: 0,
    proofStarts: words(),
    proofEnds: words(),
    audiences: undefined,
    nonces: undefined,
    atMs: undefined,
    dayOf: createDayInParis(),
    rows: new Uint32Array(ROW_WORDS * capacity),
    dates: new Float64Array(ROW_DATES * capacity),
    payloads: new Uint8Array(Math.min(MAX_PAYLOAD_BYTES, ITEM_PAYLOAD_BYTES * capacity)),
    signatures: bytes(SIGNATURE_BYTES),
    read: new Array<ReadCredential | undefined>(capacity).fill(undefined),
    reasons: bytes(),
    holds: bytes(),
    proofs: undefined,
    trustListVersion: undefined,
    asked: 0,
    askedHolders: undefined,
    scratch: {
      ...createCheckArrays(capacity),
      cardHashes: bytes(CARD_HASH_BYTES),
      holders: {
        items: words(),
        cardHashes: bytes(CARD_HASH_BYTES),
        bytes: bytes(),
        iats: new Float64Array(capacity),
      },
    },
  };
}

/** Begins a slice of `count` credentials, `proofCount` of them with proofs, which the caller has placed or places now. */
export function beginSlice(slice: Slice, texts: Uint8Array, count: number, proofCount = 0): void {
  if (count > slice.capacity) throw new RangeError('a slice takes no more items than its capacity');
  slice.texts = texts;
  slice.count = count;
  slice.proofCount = proofCount;
  slice.asked = 0;
  slice.askedHolders = undefined;
  slice.audiences = undefined;
  slice.nonces = undefined;
  slice.atMs = undefined;
  if (slice.proofs !== undefined) beginProofs(slice.proofs);
  slice.reasons.fill(0, 0, count);
  slice.holds.fill(0, 0, count);
  slice.read.fill(undefined, 0, count);
}

/** A credential and what the phone may show beside it. */
export interface Presentation {
  readonly credential: string;
  readonly holderProof?: string | undefined;
}

/** A slice of its own, for a caller that has few presentations, as texts. */
export function sliceOf(presentations: readonly Presentation[]): Slice {
  const count = presentations.length;
  const { texts, starts, ends } = placeTexts([
    ...presentations.map(({ credential }) => credential),
    ...presentations.map(({ holderProof }) => holderProof ?? ''),
  ]);
  const slice = createSlice(count);
  const proofCount = presentations.filter(({ holderProof }) => holderProof !== undefined).length;
  beginSlice(slice, texts, count, proofCount);
  slice.starts = starts.subarray(0, count);
  slice.ends = ends.subarray(0, count);
  slice.proofStarts = starts.subarray(count);
  slice.proofEnds = ends.subarray(count);
  for (const [i, { holderProof }] of presentations.entries()) {
    if (holderProof === undefined) slice.proofStarts[i] = NO_PLACE;
  }
  return slice;
}

/** Texts as places in one array of bytes: text i stands in `texts[starts[i], ends[i])`. */
interface PlacedTexts {
  readonly texts: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

/** Texts one behind the other. UTF-8 keeps what is no base64url recognisable as such. */
function placeTexts(contents: readonly string[]): PlacedTexts {
  const parts = contents.map((content) => Buffer.from(content, 'utf8'));
  const starts = new Uint32Array(parts.length);
  const ends = new Uint32Array(parts.length);
  let at = 0;
  for (const [i, { length }] of parts.entries()) {
    starts[i] = at;
    at += length;
    ends[i] = at;
  }
  return { texts: Buffer.concat(parts), starts, ends };
}

export function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1', start, end);
}

export function utf8(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8', start, end);
}
