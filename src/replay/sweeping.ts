/**
 * Taking out of the table what is over, by the main thread alone and a few buckets at a time, so that neither it nor
 * any other thread ever waits. Since nobody else takes nodes out, what is walked here stays what it is.
 */
import {
  bucketAt,
  changedHead,
  giveBack,
  NODE,
  NODE_MASK,
  nodeAt,
  type ReplayTable,
  TICK_MS,
  usedPlaces,
} from './replay-table.ts';

/** Looks through so many buckets more, in turn. */
export type Sweep = (buckets: number) => void;

/** `monotonicMs`: the clock that the places were taken by. To be made once for a table. */
export function createSweeping(table: ReplayTable, monotonicMs: () => number): Sweep {
  let next = 0;
  return (buckets) => {
    if (usedPlaces(table) === 0) return;
    const nowTick = Math.floor((monotonicMs() - table.startedAtMs) / TICK_MS);
    for (let i = 0; i < Math.min(buckets, table.buckets); i++) {
      const headAt = bucketAt(next);
      if (mayHoldEnded(table, headAt, nowTick)) sweepBucket(table, headAt, nowTick);
      next = (next + 1) % table.buckets;
    }
  };
}

/** A list of more nodes is swept whether or not any of them is over. */
const GLANCED_NODES = 8;

/**
 * Whether a node of the list is over, as far as a glance tells, or whether the list is long. Read plainly, which costs a tenth, and lets memory bring the
 * lists of several buckets side by side: most are empty or of one node that lives. What is read too late is found when
 * this comes round again.
 */
function mayHoldEnded(table: ReplayTable, headAt: number, nowTick: number): boolean {
  const { words } = table;
  let node = (words[headAt] as number) & NODE_MASK;
  for (let seen = 0; node !== 0; seen++) {
    const at = nodeAt(table, node);
    if (seen === GLANCED_NODES || (words[at + NODE.expiry] as number) <= nowTick) return true;
    node = words[at + NODE.next] as number;
  }
  return false;
}

function sweepBucket(table: ReplayTable, headAt: number, nowTick: number): void {
  const { words } = table;
  /** The last node that stays, so far. */
  let stays = 0;
  let node = Atomics.load(words, headAt) & NODE_MASK;
  while (node !== 0) {
    const at = nodeAt(table, node);
    const behind = Atomics.load(words, at + NODE.next);
    if (Atomics.load(words, at + NODE.expiry) > nowTick) {
      stays = node;
      node = behind;
      continue;
    }
    if (stays === 0) {
      const head = Atomics.load(words, headAt);
      const isFirst = (head & NODE_MASK) === node;
      if (!isFirst || Atomics.compareExchange(words, headAt, head, changedHead(head, behind)) !== head) {
        // Somebody put a node in front, behind which this one has to be taken out.
        node = Atomics.load(words, headAt) & NODE_MASK;
        continue;
      }
    } else {
      Atomics.store(words, nodeAt(table, stays) + NODE.next, behind);
      tellChange(words, headAt);
    }
    // Whoever still looks at it finds the head changed.
    giveBack(table, at);
    node = behind;
  }
}

function tellChange(words: Int32Array, headAt: number): void {
  for (;;) {
    const head = Atomics.load(words, headAt);
    if (Atomics.compareExchange(words, headAt, head, changedHead(head, head & NODE_MASK)) === head) return;
  }
}
