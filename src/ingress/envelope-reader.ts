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
import type { NativeAddon } from '../native/addon.ts';
import { type BatchReader, type Places, placeTooLong } from './batch-places.ts';
import type { ByteWindow } from './byte-window.ts';
import { parseBatch, tooManyItems } from './envelope.ts';
import { cutOfString, endOfString } from './json-string.ts';
import type { Problem } from './problem.ts';

type Place =
  | 'start'
  | 'name'
  | 'colon'
  | 'array'
  | 'behindBracket'
  | 'behindComma'
  | 'behindItem'
  | 'itemName'
  | 'itemColon'
  | 'itemValue'
  | 'itemEnd'
  | 'behindArray'
  | 'end';

/** What a strict parser is given in place of all that was read: one empty credential stands for all items. */
const READ: Readonly<Record<Place, string>> = {
  start: '',
  name: '{',
  colon: '{"credentials"',
  array: '{"credentials":',
  behindBracket: '{"credentials":[',
  behindComma: '{"credentials":["",',
  behindItem: '{"credentials":[""',
  itemName: '{"credentials":["",{',
  itemColon: '{"credentials":["",{"credential"',
  itemValue: '{"credentials":["",{"credential":',
  itemEnd: '{"credentials":["",{"credential":""',
  behindArray: '{"credentials":[""]',
  end: '{"credentials":[""]}',
};

/** What may stand at a place, by its first character, and the place behind it. */
const TOKENS: Readonly<Record<Place, Readonly<Record<string, Place>>>> = {
  start: { '{': 'name' },
  name: { '"': 'colon' },
  colon: { ':': 'array' },
  array: { '[': 'behindBracket' },
  behindBracket: { '"': 'behindItem', '{': 'itemName', ']': 'behindArray' },
  behindComma: { '"': 'behindItem', '{': 'itemName' },
  behindItem: { ',': 'behindComma', ']': 'behindArray' },
  itemName: { '"': 'itemColon' },
  itemColon: { ':': 'itemValue' },
  itemValue: { '"': 'itemEnd' },
  itemEnd: { '}': 'behindItem' },
  behindArray: { '}': 'end' },
  end: {},
};
const NAMES: Readonly<Partial<Record<Place, string>>> = { name: 'credentials', itemName: 'credential' };

/** Where native code may go on, in the order of `BatchPlace` (native/batch-scan.h). */
const NATIVE_PLACES: readonly Place[] = ['behindBracket', 'behindComma', 'behindItem'];
const FIRST_NATIVE_PLACE = 2;

const SPACES = [0x20, 0x09, 0x0a, 0x0d];
const QUOTE = Buffer.from('"');
/** The longest spelling of a name that may stand here: each letter as an escape. */
const NAME_BYTES = 6 * 'credentials'.length;
/** A string's content of more bytes is longer than a credential may be, even if all of it is escapes. */
const STRING_BYTES = 6 * LIMITS.credentialChars;
/** Of a longer string so much is read at once. */
const PIECE_BYTES = 128 * 1024;

interface Envelope {
  place: Place;
  /** Those that are whole. */
  items: number;
  /** In the content of a string, which stands at `place`, that is too long for a credential. */
  isInLongString: boolean;
  /** What stands at the window's start stands in no right envelope. */
  isWrong: boolean;
}

export function createEnvelopeReader(addon: NativeAddon | undefined): BatchReader {
  const envelope: Envelope = { place: 'start', items: 0, isInLongString: false, isWrong: false };
  const stand = new Uint32Array(2);
  return {
    read: (window, places, room, mostBytes) => {
      const limit = window.start + mostBytes;
      let count = 0;
      while (count < room && window.start < limit) {
        const before = window.start;
        if (addon !== undefined) {
          count += readPlain(envelope, addon, window, placesFrom(places, count), room - count, limit, stand);
        }
        if (count < room) count += readToken(envelope, window, places, count);
        if (window.start === before) break;
      }
      return count;
    },
    fault: (window) => faultOf(envelope, window),
  };
}

function placesFrom(places: Places, at: number): Places {
  return at === 0 ? places : { starts: places.starts.subarray(at), ends: places.ends.subarray(at) };
}

/** Whole items that need no decoding, as many as follow one another. */
function readPlain(
  envelope: Envelope,
  addon: NativeAddon,
  window: ByteWindow,
  { starts, ends }: Places,
  room: number,
  limit: number,
  stand: Uint32Array,
): number {
  const number = NATIVE_PLACES.indexOf(envelope.place) + FIRST_NATIVE_PLACE;
  if (number < FIRST_NATIVE_PLACE || envelope.isWrong || envelope.isInLongString) return 0;
  const { bytes, start, end } = window;
  const count = addon.scanBatch(bytes, start, end, number, starts, ends, room, limit - start, stand);
  window.start = stand[0] as number;
  envelope.place = NATIVE_PLACES[(stand[1] as number) - FIRST_NATIVE_PLACE] as Place;
  envelope.items += count;
  return count;
}

/** Reads one token if it is whole. 1 when it is a credential, which is placed as number `at`. */
function readToken(envelope: Envelope, window: ByteWindow, places: Places, at: number): number {
  if (envelope.isWrong) return 0;
  if (envelope.isInLongString) {
    readPiece(envelope, window);
    return 0;
  }
  while (window.start < window.end && SPACES.includes(window.bytes[window.start] as number)) window.start++;
  if (window.start === window.end) return 0;
  const token = String.fromCharCode(window.bytes[window.start] as number);
  const next = TOKENS[envelope.place][token];
  if (next === undefined) envelope.isWrong = true;
  else if (token === '"') return readString(envelope, window, places, at, next);
  else {
    window.start++;
    goTo(envelope, next);
  }
  return 0;
}

function goTo(envelope: Envelope, place: Place): void {
  envelope.place = place;
  if (place === 'behindItem') envelope.items++;
}

function readString(envelope: Envelope, window: ByteWindow, places: Places, at: number, next: Place): number {
  const { bytes, start, end } = window;
  const name = NAMES[envelope.place];
  const close = endOfString(bytes, start + 1, end);
  if (close < 0) {
    if (name !== undefined) envelope.isWrong = end - start - 1 > NAME_BYTES;
    else if (end - start - 1 > STRING_BYTES) {
      envelope.isInLongString = true;
      window.start = start + 1;
      placeTooLong(window, places, at);
      return 1;
    }
    return 0;
  }
  const json = parseStrictJsonBytes(bytes.subarray(start, close + 1));
  envelope.isWrong = !json.ok || (name !== undefined && json.value !== name);
  if (envelope.isWrong || !json.ok) return 0;
  window.start = close + 1;
  goTo(envelope, next);
  if (name !== undefined) return 0;
  places.starts[at] = start + 1;
  // A string is never longer than its JSON: it fits where that stood.
  places.ends[at] = start + 1 + bytes.write(json.value as string, start + 1, 'utf8');
  return 1;
}

/** A piece of a long string: nobody needs it, but it must be right. */
function readPiece(envelope: Envelope, window: ByteWindow): void {
  const { bytes, start } = window;
  const end = Math.min(window.end, start + PIECE_BYTES);
  const close = endOfString(bytes, start, end);
  const cut = close < 0 ? cutOfString(bytes, start, end) : close;
  const json = parseStrictJsonBytes(Buffer.concat([QUOTE, bytes.subarray(start, cut), QUOTE]));
  if (!json.ok) {
    envelope.isWrong = true;
    return;
  }
  window.start = cut;
  if (close < 0) return;
  window.start++;
  envelope.isInLongString = false;
  goTo(envelope, TOKENS[envelope.place]['"'] as Place);
}

function faultOf(
  { place, items, isInLongString, isWrong }: Envelope,
  window: ByteWindow,
): Problem | undefined {
  if (place === 'end' && !isWrong) return items > LIMITS.batchItems ? tooManyItems() : undefined;
  const read = READ[place] + (isInLongString ? '"' : '');
  const rest = window.bytes.subarray(window.start, window.end);
  const before = READ[place].includes('""') ? items - 1 : 0;
  const judged = parseBatch('application/json', Buffer.concat([Buffer.from(read), rest]), before);
  if (judged.ok) throw new Error('an envelope was refused by its reader and not by the parser');
  return judged.problem;
}
