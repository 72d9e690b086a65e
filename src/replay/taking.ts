/**
 * Taking a proof's place in the table, from any thread.
 *
 * Time is the monotonic clock's. What remains of a proof's life by the wall clock is read once, when it is taken; from
 * then on no setting of the clock shortens its memory. A clock set back lets a proof live longer than was read, so each
 * is kept for a while more (`keepMs`).
 */
import type { Clock } from '../clock.ts';
import {
  bucketAt,
  changedHead,
  FREE,
  giveBack,
  HEADER,
  NODE,
  NODE_MASK,
  nodeAt,
  OWNED,
  type ReplayTable,
  TICK_MS,
} from './replay-table.ts';

export const ID_BYTES = 16;
const LAST_TICK = 2 ** 31 - 1;

export type Taken = 'first' | 'seen' | 'full';
/** `full`: whether it is the first cannot be told, as there is no room to remember it. */
export type Take = (ids: Uint8Array, expiresAtMs: number, at?: number) => Taken;

export function createTaking(table: ReplayTable, clock: Clock, keepMs: number): Take {
  const { words, buckets } = table;
  const idWords = new Int32Array(4);
  const findFree = createNodeSearch(table);

  /** Whether a living node of this list has the id; `undefined`: the list changed meanwhile. */
  const isListed = (headAt: number, head: number, nowTick: number): boolean | undefined => {
    for (let node = head & NODE_MASK; node !== 0; ) {
      const at = nodeAt(table, node);
      const isLiving = holdsId(words, at, idWords) && Atomics.load(words, at + NODE.expiry) > nowTick;
      const next = Atomics.load(words, at + NODE.next);
      // What was read was this list's only if it still is the same list.
      if (Atomics.load(words, headAt) !== head) return undefined;
      if (isLiving) return true;
      node = next;
    }
    return false;
  };

  return (ids, expiresAtMs, at = 0) => {
    if (!Number.isFinite(expiresAtMs)) throw new RangeError('a proof ends at some time');
    readId(ids, at, idWords);
    const nowTick = (clock.monotonicMs() - table.startedAtMs) / TICK_MS;
    const restMs = Math.max(0, expiresAtMs - clock.wallMs()) + keepMs;
    const headAt = bucketAt(bucketOf(idWords[0] as number, buckets));
    let node = 0;
    for (;;) {
      const head = Atomics.load(words, headAt);
      const listed = isListed(headAt, head, nowTick);
      if (listed === undefined) continue;
      if (listed) {
        if (node !== 0) giveBack(table, nodeAt(table, node));
        return 'seen';
      }
      if (node === 0) {
        node = findFree();
        if (node === 0) return 'full';
      }
      const nodeStart = nodeAt(table, node);
      // Nobody reads these before the exchange below has put them into the list.
      for (let i = 0; i < idWords.length; i++) words[nodeStart + NODE.id + i] = idWords[i] as number;
      words[nodeStart + NODE.next] = head & NODE_MASK;
      words[nodeStart + NODE.expiry] = Math.min(LAST_TICK, Math.ceil(nowTick + restMs / TICK_MS));
      if (Atomics.compareExchange(words, headAt, head, changedHead(head, node)) === head) return 'first';
    }
  };
}

/**
 * Looks at the list of each of `count` ids and at its first node, to no end but that memory brings those of all while it would
 * bring one's: these reads do not await one another.
 */
export function createPrefetching(table: ReplayTable): (ids: Uint8Array, count: number) => void {
  const { words, buckets } = table;
  const seen = new Int32Array(1);
  const headOf = (ids: Uint8Array, at: number): number =>
    words[bucketAt(bucketOf(wordAt(ids, ID_BYTES * at), buckets))] as number;
  return (ids, count) => {
    let all = 0;
    for (let at = 0; at < count; at++) all |= headOf(ids, at);
    for (let at = 0; at < count; at++) {
      const node = headOf(ids, at) & NODE_MASK;
      if (node !== 0) all |= words[nodeAt(table, node)] as number;
    }
    // Kept, or nothing would be read.
    seen[0] = all;
  };
}

/** Finds a node that is free and owns it; 0: all places are taken. */
function createNodeSearch(table: ReplayTable): () => number {
  const { words, capacity, nodes } = table;
  // Threads look in places of their own, where nobody else has just been.
  let cursor = 1 + Math.floor(Math.random() * (nodes - 1));
  return () => {
    if (Atomics.add(words, HEADER.used, 1) >= capacity) {
      Atomics.sub(words, HEADER.used, 1);
      return 0;
    }
    for (let steps = 1; steps < nodes; steps++) {
      cursor = cursor + 1 < nodes ? cursor + 1 : 1;
      const at = nodeAt(table, cursor) + NODE.expiry;
      if (Atomics.load(words, at) !== FREE) continue;
      if (Atomics.compareExchange(words, at, FREE, OWNED) === FREE) return cursor;
    }
    Atomics.sub(words, HEADER.used, 1);
    return 0;
  };
}

/**
 * The first word tells nearly all apart, and is read plainly, which costs a tenth: read too late it can but make a node look
 * like another's, and that is found out by whoever then changes the head.
 */
function holdsId(words: Int32Array, at: number, id: Int32Array): boolean {
  if (words[at + NODE.id] !== id[0]) return false;
  for (let i = 0; i < id.length; i++) {
    if (Atomics.load(words, at + NODE.id + i) !== id[i]) return false;
  }
  return true;
}

/** By the lowest bits of an id's first word. */
function bucketOf(firstWord: number, buckets: number): number {
  return firstWord & (buckets - 1);
}

function readId(ids: Uint8Array, from: number, out: Int32Array): void {
  if (!(from >= 0 && from + ID_BYTES <= ids.length)) throw new RangeError(`an id has ${ID_BYTES} bytes`);
  for (let i = 0; i < out.length; i++) out[i] = wordAt(ids, from + 4 * i);
}

/** Of four bytes, the lowest first. */
function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}
