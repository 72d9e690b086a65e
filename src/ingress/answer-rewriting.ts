/** Answers that were written and turn out to be out of date before they are given, put right where they stand. */
import { reasonOf } from '../verdict.ts';
import type { AnswerBytes } from './answer-writer.ts';
import type { Change } from './second-look.ts';
import { localTail, renderHead } from './verdict-reply.ts';

/** Where the answers stand: the first from `start` on, each up to its end, and each with its tail. */
export interface AnswerPlaces {
  readonly start: number;
  readonly ends: Uint32Array;
  readonly tail: Buffer;
  /** 1 where the tail is `localTail` of that one; absent: nowhere. */
  readonly local: Uint8Array | undefined;
}

const OK_HEAD_BYTES = Buffer.byteLength(renderHead('ok'));

/** Gives all answers another tail (and its `localTail` to those that have such a one), and those that were `ok` and are not any more the head of their reason. */
export function rewriteAnswers(
  out: AnswerBytes,
  { start, ends, tail: oldUsual, local }: AnswerPlaces,
  usual: Buffer,
  changes: readonly Change[],
): void {
  const heads = new Map(changes.map(({ item, code }) => [item, Buffer.from(renderHead(reasonOf(code)))]));
  const tails = local === undefined ? [usual] : [usual, Buffer.from(localTail(usual.toString()))];
  let gap = ends.length * Math.max(0, usual.length - oldUsual.length);
  for (const { length } of heads.values()) gap += Math.max(0, length - OK_HEAD_BYTES);
  openGap(out, start, gap);
  const { bytes } = out;
  // What is written stays behind what is read: the gap has room for all that grows.
  let from = start + gap;
  let to = start;
  for (let item = 0; item < ends.length; item++) {
    const end = (ends[item] as number) + gap;
    const tail = tails[local?.[item] ?? 0] as Buffer;
    // What the two tails have of their own is in the old ones as in the new.
    const oldBytes = oldUsual.length + tail.length - usual.length;
    const head = heads.get(item);
    if (head !== undefined) {
      bytes.set(head, to);
      to += head.length;
      from += OK_HEAD_BYTES;
    }
    bytes.copyWithin(to, from, end - oldBytes);
    to += end - oldBytes - from;
    bytes.set(tail, to);
    to += tail.length;
    from = end;
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
