/**
 * The JSON envelope of a batch, token by token: every envelope that is right is read in bounded memory, whatever its
 * spelling. Native code reads runs of plain items. Single tokens, escapes and all, are read here; the strict parser
 * judges each string.
 *
 * At the first token that no right envelope has there, reading ends. The rest of the body is kept, and the strict parser
 * says at its end what is wrong: before the rest it is given a short text that leaves it where the tokens
 * read have left it, so that it says what it would have said of the whole.
 */
import { LIMITS } from '../config.ts';
import { parseStrictJsonBytes } from '../encoding/strict-json.ts';
import { type NativeAddon, NO_PLACE } from '../native/addon.ts';
import { type BatchReader, type Places, placeTooLong } from './batch-places.ts';
import type { ByteWindow } from './byte-window.ts';
import { parseBatch, tooManyItems } from './envelope.ts';
import { MEMBERS, type Member, type Place, readText, TOKENS } from './envelope-tokens.ts';
import { cutOfString, endOfString } from './json-string.ts';
import { compact, keep, membersOf, type OpenItem, openItem, placeItem } from './open-item.ts';
import type { Problem } from './problem.ts';

/** Where native code may go on, in the order of `BatchPlace` (native/batch-scan.h). */
const NATIVE_PLACES: readonly Place[] = ['behindBracket', 'behindComma', 'behindItem'];
const FIRST_NATIVE_PLACE = 2;

const SPACES = [0x20, 0x09, 0x0a, 0x0d];
const QUOTE = Buffer.from('"');
/** The longest spelling of a name that may stand here: each letter as an escape. */
const NAME_BYTES = 6 * 'credentials'.length;
/** A string's content of more bytes is longer than what it is may be, even if all of it is escapes. */
const CREDENTIAL_BYTES = 6 * LIMITS.credentialChars;
const PROOF_BYTES = 6 * LIMITS.proofChars;
/** Of a longer string so much is read at once. */
const PIECE_BYTES = 128 * 1024;

interface Envelope {
  place: Place;
  /** Those that are whole. */
  items: number;
  /** The object that is being read. */
  item: OpenItem | undefined;
  /** So many bytes at the window's start are kept for it; what is read next stands behind them. */
  ahead: number;
  /** In the content of a string, which stands at `place`, that is too long for what it is. */
  isInLongString: boolean;
  /** What is read next stands in no right envelope. */
  isWrong: boolean;
}

export function createEnvelopeReader(addon: NativeAddon | undefined): BatchReader {
  const envelope: Envelope = {
    place: 'start',
    items: 0,
    item: undefined,
    ahead: 0,
    isInLongString: false,
    isWrong: false,
  };
  const stand = new Uint32Array(3);
  return {
    read: (window, places, room, mostBytes) => {
      const limit = window.start + mostBytes;
      places.proofCount = 0;
      let count = 0;
      while (count < room && window.start < limit) {
        const before = window.start + envelope.ahead;
        if (addon !== undefined) {
          count += readPlain(envelope, addon, window, places, count, { room, limit, stand });
        }
        if (count < room) count += readToken(envelope, window, places, count);
        if (window.start + envelope.ahead === before) break;
      }
      if (envelope.item !== undefined) envelope.ahead = compact(envelope.item, window, envelope.ahead);
      return count;
    },
    fault: (window) => faultOf(envelope, window),
  };
}

interface Scan {
  readonly room: number;
  readonly limit: number;
  readonly stand: Uint32Array;
}

/** Whole items that need no decoding, as many as follow one another, from number `at` on. */
function readPlain(
  envelope: Envelope,
  addon: NativeAddon,
  window: ByteWindow,
  places: Places,
  at: number,
  { room, limit, stand }: Scan,
): number {
  const number = NATIVE_PLACES.indexOf(envelope.place) + FIRST_NATIVE_PLACE;
  if (number < FIRST_NATIVE_PLACE || envelope.isWrong || envelope.isInLongString) return 0;
  const { bytes, start, end } = window;
  const { starts, ends, proofStarts, proofEnds } = places;
  const from = (array: Uint32Array): Uint32Array => (at === 0 ? array : array.subarray(at));
  const arrays = [from(starts), from(ends), from(proofStarts), from(proofEnds)] as const;
  const count = addon.scanBatch(bytes, start, end, number, ...arrays, room - at, limit - start, stand);
  window.start = stand[0] as number;
  envelope.place = NATIVE_PLACES[(stand[1] as number) - FIRST_NATIVE_PLACE] as Place;
  envelope.items += count;
  places.proofCount += stand[2] as number;
  return count;
}

/** Reads one token if it is whole. 1 when an item has been placed, as number `at`. */
function readToken(envelope: Envelope, window: ByteWindow, places: Places, at: number): number {
  if (envelope.isWrong) return 0;
  if (envelope.isInLongString) {
    readPiece(envelope, window);
    return 0;
  }
  let next = window.start + envelope.ahead;
  while (next < window.end && SPACES.includes(window.bytes[next] as number)) next++;
  moveTo(envelope, window, next);
  if (next === window.end) return 0;
  const token = String.fromCharCode(window.bytes[next] as number);
  const place = TOKENS[envelope.place][token];
  if (place === undefined) envelope.isWrong = true;
  else if (token === '"') return readString(envelope, window, places, at, place);
  else if (token === '}' && envelope.item !== undefined) return endItem(envelope, window, places, at);
  else {
    if (token === '{' && place === 'itemName') envelope.item = openItem();
    moveTo(envelope, window, next + 1);
    goTo(envelope, place);
  }
  return 0;
}

/** What is read next stands at `next`. */
function moveTo(envelope: Envelope, window: ByteWindow, next: number): void {
  if (envelope.item === undefined || envelope.item.kept.length === 0) window.start = next;
  else envelope.ahead = next - window.start;
}

function goTo(envelope: Envelope, place: Place): void {
  envelope.place = place;
  if (place === 'behindItem') envelope.items++;
}

/** At the brace that ends an object. */
function endItem(envelope: Envelope, window: ByteWindow, places: Places, at: number): number {
  const item = envelope.item as OpenItem;
  if (!membersOf(item).includes('credential')) {
    envelope.isWrong = true;
    return 0;
  }
  placeItem(item, window, places, at);
  window.start += envelope.ahead + 1;
  envelope.item = undefined;
  envelope.ahead = 0;
  goTo(envelope, 'behindItem');
  return 1;
}

function readString(envelope: Envelope, window: ByteWindow, places: Places, at: number, next: Place): number {
  const { bytes, end } = window;
  const { item } = envelope;
  const start = window.start + envelope.ahead;
  const isName = next === 'colon' || next === 'itemColon';
  const close = endOfString(bytes, start + 1, end);
  if (close < 0) {
    const mostBytes = isName ? NAME_BYTES : item?.named === 'holderProof' ? PROOF_BYTES : CREDENTIAL_BYTES;
    if (end - start - 1 <= mostBytes) return 0;
    if (isName) {
      envelope.isWrong = true;
      return 0;
    }
    return beginLongString(envelope, window, places, at, start + 1);
  }
  const json = parseStrictJsonBytes(bytes.subarray(start, close + 1));
  if (!json.ok || (isName && !takeName(envelope, json.value as string))) {
    envelope.isWrong = true;
    return 0;
  }
  // A string is never longer than its JSON: it fits where that stood.
  const length = isName ? 0 : bytes.write(json.value as string, start + 1, 'utf8');
  if (item !== undefined && !isName) keep(item, window, start + 1, length);
  moveTo(envelope, window, close + 1);
  goTo(envelope, next);
  if (item !== undefined || isName) return 0;
  places.starts[at] = start + 1;
  places.ends[at] = start + 1 + length;
  places.proofStarts[at] = NO_PLACE;
  return 1;
}

/** Whether a name may stand here: that of the body's one member, or one that the item does not have yet. */
function takeName({ item }: Envelope, name: string): boolean {
  if (item === undefined) return name === 'credentials';
  if (!MEMBERS.includes(name) || membersOf(item).includes(name as Member)) return false;
  item.named = name as Member;
  return true;
}

/** A string whose content begins at `start`. It is known to be too long, and so is what it says of its item. */
function beginLongString(
  envelope: Envelope,
  window: ByteWindow,
  places: Places,
  at: number,
  start: number,
): number {
  envelope.isInLongString = true;
  if (envelope.item !== undefined) {
    moveTo(envelope, window, start);
    return 0;
  }
  window.start = start;
  placeTooLong(window, places, at);
  return 1;
}

/** A piece of a long string: nobody needs it, but it must be right. */
function readPiece(envelope: Envelope, window: ByteWindow): void {
  const { bytes } = window;
  const start = window.start + envelope.ahead;
  const end = Math.min(window.end, start + PIECE_BYTES);
  const close = endOfString(bytes, start, end);
  const cut = close < 0 ? cutOfString(bytes, start, end) : close;
  const json = parseStrictJsonBytes(Buffer.concat([QUOTE, bytes.subarray(start, cut), QUOTE]));
  if (!json.ok) {
    envelope.isWrong = true;
    return;
  }
  // Of an object's member nothing is kept: an empty one is refused with the same reason.
  if (close >= 0 && envelope.item !== undefined) keep(envelope.item, window, cut, 0);
  moveTo(envelope, window, close < 0 ? cut : close + 1);
  if (close < 0) return;
  envelope.isInLongString = false;
  goTo(envelope, TOKENS[envelope.place]['"'] as Place);
}

function faultOf(
  { place, items, item, ahead, isInLongString, isWrong }: Envelope,
  window: ByteWindow,
): Problem | undefined {
  if (place === 'end' && !isWrong) return items > LIMITS.batchItems ? tooManyItems() : undefined;
  const read = readText(place, item === undefined ? [] : membersOf(item), item?.named);
  const rest = window.bytes.subarray(window.start + ahead, window.end);
  const before = read.includes('[""') ? items - 1 : 0;
  const text = Buffer.concat([Buffer.from(read + (isInLongString ? '"' : '')), rest]);
  const judged = parseBatch('application/json', text, before);
  if (judged.ok) throw new Error('an envelope was refused by its reader and not by the parser');
  return judged.problem;
}
