/** Answers that were written and turn out to be out of date before they are given, put right where they stand. */
import { reasonOf } from '../verdict.ts';
import type { AnswerBytes } from './answer-writer.ts';
import type { Change } from './second-look.ts';
import { localTail, renderHead } from './verdict-reply.ts';

/** Where the answers stand: the first from `start` on, each up to its end, and all with this tail. Ends are put right. */
export interface AnswerPlaces {
  readonly start: number;
  readonly ends: Uint32Array;
  readonly tail: Buffer;
}

export interface Rewriting {
  readonly tail: Buffer;
  /** What was `ok` and is not any more. */
  readonly changes: readonly Change[];
  /** Items that get the `localTail` of the tail. */
  readonly local: readonly number[];
}

const OK_HEAD_BYTES = Buffer.byteLength(renderHead('ok'));
/** What stands between claims and key where the holder's proof holds; nothing behind it can be like it. */
const BOTH = Buffer.from('"verified":["issuer","holder"],"key":{');
const ISSUER_ALONE = Buffer.from('"verified":["issuer"],"key":{');

/** Gives all answers another tail, and those that were `ok` and are not any more the head of their reason. */
export function rewriteAnswers(
  out: AnswerBytes,
  { start, ends, tail: oldTail }: AnswerPlaces,
  { tail, changes, local }: Rewriting,
): void {
  const changed = new Map(
    changes.map((change) => [
      change.item,
      { ...change, head: Buffer.from(renderHead(reasonOf(change.code))) },
    ]),
  );
  const other = Buffer.from(localTail(tail.toString()));
  const isLocal = new Set(local);
  let gap =
    ends.length * Math.max(0, Math.max(tail.length, isLocal.size > 0 ? other.length : 0) - oldTail.length);
  for (const { head } of changed.values()) gap += Math.max(0, head.length - OK_HEAD_BYTES);
  openGap(out, start, gap);
  const { bytes } = out;
  // What is written stays behind what is read: the gap has room for all that grows.
  let from = start + gap;
  let to = start;
  const move = (end: number): void => {
    bytes.copyWithin(to, from, end);
    to += end - from;
    from = end;
  };
  const put = (text: Buffer): void => {
    bytes.set(text, to);
    to += text.length;
  };
  for (let item = 0; item < ends.length; item++) {
    const end = (ends[item] as number) + gap;
    const change = changed.get(item);
    if (change !== undefined) {
      put(change.head);
      from += OK_HEAD_BYTES;
    }
    if (change?.proofFails === true) {
      // The last of its kind: claims may look like it.
      move(from + bytes.subarray(from, end - oldTail.length).lastIndexOf(BOTH));
      put(ISSUER_ALONE);
      from += BOTH.length;
    }
    move(end - oldTail.length);
    put(isLocal.has(item) ? other : tail);
    from = end;
    ends[item] = to;
  }
  out.used = to;
}

/** Moves what stands from `start` on by so many bytes. */
function openGap(out: AnswerBytes, start: number, gap: number): void {
  const { bytes, used } = out;
  if (used + gap <= bytes.length) {
    bytes.copyWithin(start + gap, start, used);
    return;
  }
  out.bytes = Buffer.allocUnsafeSlow(used + gap);
  bytes.copy(out.bytes, 0, 0, start);
  bytes.copy(out.bytes, start + gap, start, used);
}
