/** One input made of others: bytes changed, taken out, put in, repeated, or exchanged with those of another input. */
import type { Random } from '../signature/fuzz-cases.ts';
import { MOST_INPUT_BYTES } from './fuzz-target.ts';

type Mutation = (random: Random, bytes: Buffer, others: Materials) => Buffer;

export interface Materials {
  readonly words: readonly Uint8Array[];
  readonly inputs: readonly Buffer[];
}

/** Bytes at which formats have their edges. */
const EDGES = [
  0x00, 0x01, 0x09, 0x0a, 0x0d, 0x1f, 0x20, 0x22, 0x2c, 0x2d, 0x2e, 0x2f, 0x30, 0x39, 0x3a, 0x5c,
];
const MORE_EDGES = [
  0x5b, 0x5d, 0x7b, 0x7d, 0x7e, 0x7f, 0x80, 0xbf, 0xc0, 0xc2, 0xe2, 0xed, 0xef, 0xf0, 0xf4, 0xff,
];
const EDGE_BYTES = [...EDGES, ...MORE_EDGES];
/** The numbers at which lengths and dates in eight bytes have theirs. */
const EDGE_NUMBERS = [
  0,
  -0,
  1,
  -1,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  2 ** 63,
  1e308,
  -1e308,
  Infinity,
  -Infinity,
  NaN,
];

const cut = (bytes: Buffer, at: number, count: number, put: Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + count)]);

/** A place in the bytes, or behind them. */
const placeIn = (random: Random, bytes: Uint8Array): number => random.below(bytes.length + 1);

/** Short more often than long. */
const lengthIn = (random: Random, most: number): number => random.below(1 + random.below(1 + most));

const MUTATIONS: readonly Mutation[] = [
  (random, bytes) => {
    const flipped = Buffer.from(bytes);
    const at = random.below(bytes.length * 8);
    if (bytes.length > 0) flipped[at >> 3] = (flipped[at >> 3] as number) ^ (1 << (at & 7));
    return flipped;
  },
  (random, bytes) => cut(bytes, placeIn(random, bytes), 1, Uint8Array.of(random.pick(EDGE_BYTES))),
  (random, bytes) => cut(bytes, placeIn(random, bytes), 0, Uint8Array.of(random.pick(EDGE_BYTES))),
  (random, bytes) => cut(bytes, placeIn(random, bytes), 1, random.bytes(1)),
  (random, bytes) => cut(bytes, placeIn(random, bytes), 1 + lengthIn(random, bytes.length >> 1), NOTHING),
  (random, bytes) => {
    const from = placeIn(random, bytes);
    const piece = bytes.subarray(from, from + 1 + lengthIn(random, 64));
    return cut(bytes, placeIn(random, bytes), 0, repeated(piece, 1 + lengthIn(random, 40)));
  },
  (random, bytes, { words }) => cut(bytes, placeIn(random, bytes), 0, random.pick(words)),
  (random, bytes, { words }) => {
    const word = random.pick(words);
    return cut(bytes, placeIn(random, bytes), word.length, word);
  },
  (random, bytes, { words }) => cut(bytes, placeOfAMember(random, bytes), 0, random.pick(words)),
  (random, bytes, { words }) => exchangeWord(bytes, random.pick(words), random.pick(words), random),
  (random, bytes) => {
    const number = Buffer.alloc(8);
    if (random.below(2) === 0) number.writeDoubleBE(random.pick(EDGE_NUMBERS));
    else number.writeUInt32BE(random.below(2 ** 32), 4);
    const width = random.pick([1, 2, 4, 8, 8]);
    return cut(bytes, 4 * random.below((bytes.length >> 2) + 1), width, number.subarray(8 - width));
  },
  (random, bytes, { inputs }) => {
    const other = random.pick(inputs);
    const from = placeIn(random, other);
    const piece = other.subarray(from, from + 1 + lengthIn(random, other.length));
    return cut(bytes, placeIn(random, bytes), random.below(2) * piece.length, piece);
  },
  (random, bytes, { inputs }) => {
    const other = random.pick(inputs);
    return Buffer.concat([bytes.subarray(0, placeIn(random, bytes)), other.subarray(placeIn(random, other))]);
  },
];

const MEMBERS_BEGIN_BEHIND = [0x7b, 0x5b, 0x2c];
const NOTHING = new Uint8Array(0);

/** Behind a brace, a bracket or a comma, where a whole member may stand; anywhere, where there is none. */
function placeOfAMember(random: Random, bytes: Buffer): number {
  const from = placeIn(random, bytes);
  for (let at = from; at < bytes.length; at++) {
    if (MEMBERS_BEGIN_BEHIND.includes(bytes[at] as number)) return at + 1;
  }
  return from;
}

function repeated(piece: Buffer, times: number): Buffer {
  return Buffer.concat(Array.from({ length: times }, () => piece));
}

/** Puts a word in the place of another that stands there. */
function exchangeWord(bytes: Buffer, word: Uint8Array, by: Uint8Array, random: Random): Buffer {
  const from = placeIn(random, bytes);
  const found = bytes.indexOf(word, from);
  const at = found < 0 ? bytes.indexOf(word) : found;
  return at < 0 ? cut(bytes, from, 0, by) : cut(bytes, at, word.length, by);
}

export function mutateInput(random: Random, input: Buffer, materials: Materials): Buffer {
  let mutant = input;
  for (let changes = 1 + random.below(1 + random.below(6)); changes > 0; changes--) {
    mutant = random.pick(MUTATIONS)(random, mutant, materials);
  }
  return mutant.subarray(0, MOST_INPUT_BYTES);
}
