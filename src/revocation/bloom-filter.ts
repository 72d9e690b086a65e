/**
 * The Bloom filter: bits in shared memory, set by the main thread, read by every worker.
 *
 * Invariants: bits are only ever set, so an added hash is found for ever (no false negative); positions come
 * from a keyed hash, so nobody outside can craft a false positive. A positive is a question for the exact
 * store, never an answer.
 */
import { loadNativeAddon } from '../native/addon.ts';

export interface FilterParameters {
  /** Entries for which the target rate holds. */
  readonly capacity: number;
  /** Target false-positive rate at capacity, between 0 and 1. */
  readonly falsePositiveRate: number;
}

export interface FilterReader extends FilterParameters {
  /** The bits and their parameters: what a worker needs to attach. */
  readonly shared: SharedArrayBuffer;
  readonly bits: number;
  readonly hashes: number;
  readonly memoryBytes: number;
  mightContain(hash: Uint8Array): boolean;
  /** Additions that set at least one new bit: distinct entries, less those that were false positives. */
  entries(): number;
  /** Share of the bits that are set, 0 to 1. */
  fill(): number;
  /** The rate to expect of the filter as it stands: fill^k. */
  currentFalsePositiveRate(): number;
  /**
   * Cards whose credential expired before this instant (seconds since the epoch) may be missing; 0 if none is. See
   * `filter-horizon.ts`.
   */
  leftOutBefore(): number;
}

export interface FilterWriter extends FilterReader {
  /** Adds a 16-byte keyed hash; of one thread only. Visible to all threads on return. */
  add(hash: Uint8Array): void;
  /** The same, several times faster, only while no other thread has the buffer: for building at start. */
  addUnshared(hash: Uint8Array): void;
}

/** Header: eight float64 before the bits. The layout's version changes with the bits' meaning. */
const HEADER_BYTES = 64;
const LAYOUT_VERSION = 2;
const VERSION = 0;
const BITS = 1;
const HASHES = 2;
const CAPACITY = 3;
const RATE = 4;
const BITS_SET = 5;
const ENTRIES = 6;
const LEFT_OUT_BEFORE = 7;

/**
 * A cache line. A hash's first bits lie in one: a question that ends in "no", as nearly all do, then mostly costs one
 * miss instead of two, and misses are what a filter larger than the cache costs. The unevenness of lines raises the
 * false-positive rate by some 3 %.
 */
const LINE_BITS = 512;
const LINE_WORDS = LINE_BITS / 32;
const BITS_IN_FIRST_LINE = 4;

/**
 * How a filter for these parameters is laid out: m = -n ln p / ln^2 2 bits, k = round(m/n ln 2) hashes; the bits
 * fill whole cache lines.
 */
export function filterLayout(parameters: FilterParameters): {
  readonly bits: number;
  readonly hashes: number;
  readonly bitBytes: number;
} {
  const { capacity, falsePositiveRate } = parameters;
  if (!Number.isSafeInteger(capacity) || capacity < 1) throw new RangeError('filter capacity');
  if (!(falsePositiveRate > 0 && falsePositiveRate < 1)) throw new RangeError('filter false-positive rate');
  const needed = (-capacity * Math.log(falsePositiveRate)) / Math.LN2 ** 2;
  const hashes = Math.max(1, Math.round((needed / capacity) * Math.LN2));
  const lines = Math.ceil(needed / LINE_BITS);
  return { bits: lines * LINE_BITS, hashes, bitBytes: (lines * LINE_BITS) / 8 };
}

/** An empty filter. */
export function createFilter(parameters: FilterParameters): FilterWriter {
  const { capacity, falsePositiveRate } = parameters;
  const { bits, hashes, bitBytes } = filterLayout(parameters);
  const shared = new SharedArrayBuffer(HEADER_BYTES + bitBytes);
  adviseHugePages(shared);
  const header = new Float64Array(shared, 0, HEADER_BYTES / 8);
  header[VERSION] = LAYOUT_VERSION;
  header[BITS] = bits;
  header[HASHES] = hashes;
  header[CAPACITY] = capacity;
  header[RATE] = falsePositiveRate;
  const words = new Int32Array(shared, HEADER_BYTES);
  return {
    ...attachFilter(shared),
    add: (hash) => addTo(header, words, hash, setShared),
    addUnshared: (hash) => addTo(header, words, hash, setUnshared),
  };
}

/** Before anything is written: a look-up is mostly one look into memory, which costs half as much then. */
function adviseHugePages(shared: SharedArrayBuffer): void {
  const loaded = loadNativeAddon();
  if (loaded.ok) loaded.addon.adviseHugePages(new Uint8Array(shared));
}

/** The bits alone, in the machine's word order (little-endian wherever Node serves): for snapshots. */
export function filterBits(filter: FilterReader): Uint8Array {
  return new Uint8Array(filter.shared, HEADER_BYTES);
}

/** The bits as words that other threads may set at any time: for native code, which reads them as such. */
export function filterWords(filter: FilterReader): Uint32Array {
  return new Uint32Array(filter.shared, HEADER_BYTES);
}

/** A filter with the bits and counts of a snapshot; `content.bits` has the layout's length. */
export function restoreFilter(
  parameters: FilterParameters,
  content: {
    readonly bits: Uint8Array;
    readonly bitsSet: number;
    readonly entries: number;
    readonly leftOutBefore: number;
  },
): FilterWriter {
  const filter = createFilter(parameters);
  noteLeftOut(filter, content.leftOutBefore);
  const header = new Float64Array(filter.shared, 0, HEADER_BYTES / 8);
  header[BITS_SET] = content.bitsSet;
  header[ENTRIES] = content.entries;
  const target = filterBits(filter);
  if (content.bits.length !== target.length) throw new RangeError('filter bits');
  target.set(content.bits);
  return filter;
}

/** Has the filter say which cards it may lack; by whoever leaves them out, before it is in force. */
export function noteLeftOut(filter: FilterReader, expiredBefore: number): void {
  new Float64Array(filter.shared, 0, HEADER_BYTES / 8)[LEFT_OUT_BEFORE] = expiredBefore;
}

/** The filter in a shared buffer that {@link createFilter} made, in whatever thread. */
export function attachFilter(shared: SharedArrayBuffer): FilterReader {
  const header = new Float64Array(shared, 0, HEADER_BYTES / 8);
  if (header[VERSION] !== LAYOUT_VERSION) throw new RangeError('not a filter of this version');
  const words = new Int32Array(shared, HEADER_BYTES);
  const bits = header[BITS] as number;
  const hashes = header[HASHES] as number;
  const fill = () => (header[BITS_SET] as number) / bits;
  return {
    shared,
    bits,
    hashes,
    capacity: header[CAPACITY] as number,
    falsePositiveRate: header[RATE] as number,
    memoryBytes: shared.byteLength,
    mightContain: (hash) => isIn(words, bits, hashes, hash),
    entries: () => header[ENTRIES] as number,
    fill,
    currentFalsePositiveRate: () => fill() ** hashes,
    leftOutBefore: () => header[LEFT_OUT_BEFORE] as number,
  };
}

/**
 * Positions: the first by the hash's first half; three more in the same line, an odd step apart, hence different;
 * the rest by enhanced double hashing (Dillinger and Manolios, 2004) from there: a += b, b += i. Both stay below
 * `bits` and grow by less than it, so one conditional subtraction reduces them. All numbers are integers below
 * 2^53 and exact, also for more than 2^32 bits.
 */
function isIn(words: Int32Array, bits: number, hashes: number, hash: Uint8Array): boolean {
  let a = scaled(hash, 0, bits);
  const line = Math.floor(a / LINE_BITS) * LINE_WORDS;
  const step = stepInLine(hash);
  let offset = a % LINE_BITS;
  const inLine = Math.min(BITS_IN_FIRST_LINE, hashes);
  for (let i = 0; i < inLine; i++) {
    if ((Atomics.load(words, line + (offset >> 5)) & (1 << (offset & 31))) === 0) return false;
    offset = (offset + step) % LINE_BITS;
  }
  let b = scaled(hash, 8, bits);
  for (let i = inLine; i < hashes; i++) {
    a += b;
    if (a >= bits) a -= bits;
    b += i;
    if (b >= bits) b -= bits;
    if ((Atomics.load(words, Math.floor(a / 32)) & (1 << (a & 31))) === 0) return false;
  }
  return true;
}

/** The same walk as {@link isIn}, setting. Counts are written by this thread alone; others only read them. */
function addTo(header: Float64Array, words: Int32Array, hash: Uint8Array, set: typeof setShared): void {
  const bits = header[BITS] as number;
  const hashes = header[HASHES] as number;
  let newBits = 0;
  let a = scaled(hash, 0, bits);
  const line = Math.floor(a / LINE_BITS) * LINE_WORDS;
  const step = stepInLine(hash);
  let offset = a % LINE_BITS;
  const inLine = Math.min(BITS_IN_FIRST_LINE, hashes);
  for (let i = 0; i < inLine; i++) {
    const mask = 1 << (offset & 31);
    if ((set(words, line + (offset >> 5), mask) & mask) === 0) newBits++;
    offset = (offset + step) % LINE_BITS;
  }
  let b = scaled(hash, 8, bits);
  for (let i = inLine; i < hashes; i++) {
    a += b;
    if (a >= bits) a -= bits;
    b += i;
    if (b >= bits) b -= bits;
    const mask = 1 << (a & 31);
    if ((set(words, Math.floor(a / 32), mask) & mask) === 0) newBits++;
  }
  header[BITS_SET] = (header[BITS_SET] as number) + newBits;
  if (newBits > 0) header[ENTRIES] = (header[ENTRIES] as number) + 1;
}

/** Odd, below a line's bits; from bits of the hash that the positions do not use. */
function stepInLine(hash: Uint8Array): number {
  return (((hash[7] as number) << 1) | 1) % LINE_BITS;
}

/** Sets bits of a word, for all threads to see; returns the word as it was. */
function setShared(words: Int32Array, index: number, mask: number): number {
  return Atomics.or(words, index, mask);
}

/** Without the lock, so that the machine fetches the next words from memory meanwhile. */
function setUnshared(words: Int32Array, index: number, mask: number): number {
  const before = words[index] as number;
  words[index] = before | mask;
  return before;
}

/** Eight bytes' top 53 bits scaled to [0, bits): unlike a remainder, even to within bits/2^53. */
function scaled(hash: Uint8Array, at: number, bits: number): number {
  const high =
    ((hash[at] as number) * 0x1000000 +
      ((hash[at + 1] as number) << 16) +
      ((hash[at + 2] as number) << 8) +
      (hash[at + 3] as number)) *
    0x200000;
  const low =
    ((hash[at + 4] as number) << 13) | ((hash[at + 5] as number) << 5) | ((hash[at + 6] as number) >> 3);
  const position = Math.floor(((high + low) / 0x20000000000000) * bits);
  // Rounding of the product may reach `bits` itself.
  return position < bits ? position : bits - 1;
}
