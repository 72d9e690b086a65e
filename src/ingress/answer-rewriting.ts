/** Answers that were written and turn out to be out of date before they are given, put right where they stand. */
import { reasonOf } from '../verdict.ts';
import type { AnswerBytes } from './answer-writer.ts';
import type { Change } from './second-look.ts';
import { renderHead } from './verdict-reply.ts';

/** Where the answers stand: the first from `start` on, each up to its end, and each with the same tail. */
export interface AnswerPlaces {
  readonly start: number;
  readonly ends: Uint32Array;
  readonly tail: Buffer;
}

const OK_HEAD_BYTES = Buffer.byteLength(renderHead('ok'));

/** Gives all answers another tail, and those that were `ok` and are not any more the head of their reason. */
export function rewriteAnswers(
  out: AnswerBytes,
  { start, ends, tail: oldTail }: AnswerPlaces,
  tail: Buffer,
  changes: readonly Change[],
): void {
  const heads = new Map(changes.map(({ item, code }) => [item, Buffer.from(renderHead(reasonOf(code)))]));
  let gap = ends.length * Math.max(0, tail.length - oldTail.length);
  for (const { length } of heads.values()) gap += Math.max(0, length - OK_HEAD_BYTES);
  openGap(out, start, gap);
  const { bytes } = out;
  // What is written stays behind what is read: the gap has room for all that grows.
  let from = start + gap;
  let to = start;
  for (let item = 0; item < ends.length; item++) {
    const end = (ends[item] as number) + gap;
    const head = heads.get(item);
    if (head !== undefined) {
      bytes.set(head, to);
      to += head.length;
      from += OK_HEAD_BYTES;
    }
    bytes.copyWithin(to, from, end - oldTail.length);
    to += end - oldTail.length - from;
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
