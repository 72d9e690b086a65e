/**
 * Where the proofs taken by this gateway stand: a hash table in shared memory, in which all its threads take places at
 * the same time and none ever waits for another.
 *
 * A bucket is the head of a list of nodes. Every change of a list changes its head: a node is written aside, whole, and
 * then put in front by one compare-and-swap, which succeeds only if the list is still the one that was looked through.
 * So of several threads that take one id at the same instant exactly one is the first; and a thread that ends or stands
 * still anywhere in between has either put its node there or not. It holds nothing: what is lost with it is one node.
 *
 * Nodes whose time is over are taken out by the main thread alone (`sweeping.ts`). A head's upper bits count its
 * changes, so that who looks through a list notices that it has changed meanwhile, and begins anew. They come round
 * after 256 changes: hours for a bucket of a busy gateway, and a thread that stood still for that long is replaced.
 */

export interface ReplayTable {
  readonly shared: SharedArrayBuffer;
  readonly words: Int32Array;
  /** Places that may be taken at once. */
  readonly capacity: number;
  /** A power of two. */
  readonly buckets: number;
  /** One more than the last node; node 0 is none. */
  readonly nodes: number;
  /** Monotonic time at which ticks begin. */
  readonly startedAtMs: number;
}

/** Positions of words. Those that threads write stand in cache lines of their own. */
export const HEADER = { capacity: 0, startedAtMs: 2, used: 16, words: 32 } as const;
/** A node: an id's four words, when it is over, the node behind it. */
export const NODE = { id: 0, expiry: 4, next: 5, words: 6 } as const;
/** In place of an expiry: whoever finds it free may have it; somebody has, and it is in no list yet. */
export const FREE = 0;
export const OWNED = -1;

/** Of a head: the first node in its lower bits, and above them the count of its changes. */
export const NODE_MASK = 0xff_ff_ff;
const CHANGE = NODE_MASK + 1;
/** As many as nodes can be told apart, less the quarter that is always free. */
const MAX_ENTRIES = 12_000_000;

/** The unit in which times are kept, which gives a word of 31 bits six years. */
export const TICK_MS = 100;

export function allocateReplayTable(capacity: number, nowMs: number): SharedArrayBuffer {
  if (!(capacity >= 1 && capacity <= MAX_ENTRIES)) {
    throw new RangeError(`a table has 1 to ${MAX_ENTRIES} entries`);
  }
  const words = HEADER.words + bucketsOf(capacity) + NODE.words * nodesOf(capacity);
  // The system gives the memory as it is first written to: a gateway that sees no proofs pays for none.
  const shared = new SharedArrayBuffer(words * Int32Array.BYTES_PER_ELEMENT);
  new Int32Array(shared)[HEADER.capacity] = capacity;
  new Float64Array(shared, HEADER.startedAtMs * Int32Array.BYTES_PER_ELEMENT, 1)[0] = nowMs;
  return shared;
}

export function openReplayTable(shared: SharedArrayBuffer): ReplayTable {
  const words = new Int32Array(shared);
  const capacity = words[HEADER.capacity] as number;
  const [startedAtMs] = new Float64Array(shared, HEADER.startedAtMs * Int32Array.BYTES_PER_ELEMENT, 1);
  return {
    shared,
    words,
    capacity,
    buckets: bucketsOf(capacity),
    nodes: nodesOf(capacity),
    startedAtMs: startedAtMs as number,
  };
}

/** Places taken and not swept yet. */
export function usedPlaces({ words }: ReplayTable): number {
  return Atomics.load(words, HEADER.used);
}

/** The head's successor, with this node in front. */
export function changedHead(head: number, first: number): number {
  return ((head + CHANGE) & ~NODE_MASK) | first;
}

export function bucketAt(bucket: number): number {
  return HEADER.words + bucket;
}

export function nodeAt({ buckets }: ReplayTable, node: number): number {
  return HEADER.words + buckets + NODE.words * node;
}

/** Back to those that may be taken, once no list has it. */
export function giveBack({ words }: ReplayTable, at: number): void {
  Atomics.store(words, at + NODE.expiry, FREE);
  Atomics.sub(words, HEADER.used, 1);
}

function bucketsOf(capacity: number): number {
  return 2 ** Math.ceil(Math.log2(capacity));
}

/** A quarter more than may be used, so that one that is free is found within a few steps when all places are taken. */
function nodesOf(capacity: number): number {
  return 1 + Math.ceil(capacity * 1.25);
}
