/**
 * Answers to a whole slice as bytes: by native code for what was decoded in bulk, by `verdict-reply.ts` for the rest.
 * The bytes are the same by either.
 */

import { type NativeAddon, NO_PAIR } from '../native/addon.ts';
import { ROW_WORDS } from '../native/fields.ts';
import { REASONS } from '../verdict.ts';
import type { Slice } from '../verification/slice.ts';
import type { TrustScope } from '../verification/trust-scope.ts';
import { verificationAt } from '../verification/verification.ts';
import { localTail, renderHead, renderKey, renderVerification } from './verdict-reply.ts';

export interface AnswerWriter {
  /**
   * Renders the answers of a slice one behind the other, `tail` at the end of each, or its `localTail` where the slice
   * says so. Valid until the next call. `ends[i]` is where that of item i ends.
   */
  write(slice: Slice, scope: TrustScope | undefined, tail: string): WrittenAnswers;
  /**
   * The same behind what `out` has; its array is replaced by a larger one when it has no room. Returns where each
   * answer ends in it, valid until the next call.
   */
  append(slice: Slice, scope: TrustScope | undefined, tail: Buffer, out: AnswerBytes): Uint32Array;
}

/** Answers under way: `bytes[0, used)`. */
export interface AnswerBytes {
  bytes: Buffer;
  used: number;
}

/** `bytes[0, ends[i])` for the last item i; behind it there may be more, which means nothing. */
export interface WrittenAnswers {
  readonly bytes: Buffer;
  readonly ends: Uint32Array;
}

/** Texts one behind the other, in the form in which native code takes them. */
interface PackedTexts {
  readonly bytes: Uint8Array;
  readonly ends: Uint32Array;
}

/** What an answer has beside head, claims, their copies in `credential`, key and tail; see native/answer-writer.h. */
const FIXED_BYTES = 160;
/** Enough for a slice of ordinary credentials; a larger answer makes it grow, and it stays so. */
const INITIAL_BYTES = 256 * 1024;

export function createAnswerWriter(capacity: number, addon: NativeAddon | undefined): AnswerWriter {
  const heads = packTexts(REASONS.map(({ reason }) => renderHead(reason)));
  const headBytes = Math.max(...REASONS.map(({ reason }) => renderHead(reason).length));
  const keyTexts = keyTextsByScope();
  const ends = new Uint32Array(capacity);
  const own: AnswerBytes = { bytes: Buffer.allocUnsafeSlow(INITIAL_BYTES), used: 0 };
  /** Several slices fall into one millisecond, and have one tail. */
  let last = { tail: '', bytes: Buffer.alloc(0) };

  /** Of the rows `[from, to)`, all decoded in bulk. */
  const writeRows = (
    slice: Slice,
    scope: TrustScope,
    tail: Buffer,
    out: AnswerBytes,
    from: number,
    to: number,
  ): void => {
    const { payloads, rows, dates, reasons, holds } = slice;
    const keys = keyTexts(scope, slice.trustListVersion);
    let bytes = 0;
    for (let i = from; i < to; i++) {
      const row = i * ROW_WORDS;
      bytes += 2 * ((rows[row + 3] as number) - (rows[row + 2] as number));
    }
    makeRoom(out, bytes + (to - from) * (FIXED_BYTES + headBytes + keys.longest + tail.length));
    const { texts } = keys;
    const rowArrays = [payloads, rows, dates, reasons, holds] as const;
    const textArrays = [heads.bytes, heads.ends, texts.bytes, texts.ends, tail] as const;
    const native = addon as NativeAddon;
    out.used = native.writeAnswers(...rowArrays, ...textArrays, from, to, out.bytes, out.used, ends);
  };

  const writeOne = (slice: Slice, tail: string, out: AnswerBytes, item: number): void => {
    const text = renderVerification(verificationAt(slice, item), tail);
    makeRoom(out, Buffer.byteLength(text));
    out.used += out.bytes.write(text, out.used, 'utf8');
    ends[item] = out.used;
  };

  const append = (
    slice: Slice,
    scope: TrustScope | undefined,
    tail: Buffer,
    out: AnswerBytes,
  ): Uint32Array => {
    const isRow = (item: number) => slice.rows[item * ROW_WORDS] !== NO_PAIR;
    const local = slice.proofs?.isLocal ? slice.proofs.localOnly : undefined;
    const otherTail = local && Buffer.from(localTail(tail.toString()));
    for (let item = 0; item < slice.count; ) {
      let end = item;
      // Those that native code writes at once have one tail.
      while (end < slice.count && isRow(end) && local?.[end] === local?.[item]) end++;
      const itsTail = local?.[item] === 1 ? (otherTail as Buffer) : tail;
      if (end > item) writeRows(slice, scope as TrustScope, itsTail, out, item, end);
      else writeOne(slice, itsTail.toString(), out, end++);
      item = end;
    }
    return ends;
  };

  return {
    append,
    write: (slice, scope, tail) => {
      own.used = 0;
      if (tail !== last.tail) last = { tail, bytes: Buffer.from(tail, 'utf8') };
      append(slice, scope, last.bytes, own);
      return { bytes: own.bytes, ends };
    },
  };
}

function makeRoom(out: AnswerBytes, bytes: number): void {
  if (out.used + bytes <= out.bytes.length) return;
  const larger = Buffer.allocUnsafeSlow(2 * (out.used + bytes));
  out.bytes.copy(larger, 0, 0, out.used);
  out.bytes = larger;
}

function packTexts(texts: readonly string[]): PackedTexts {
  const parts = texts.map((text) => Buffer.from(text, 'utf8'));
  let end = 0;
  const ends = Uint32Array.from(parts, ({ length }) => {
    end += length;
    return end;
  });
  return { bytes: Buffer.concat(parts), ends };
}

/** The member `key` of answers, by pair; made anew when a scope has learnt another pair. */
function keyTextsByScope() {
  const known = new WeakMap<TrustScope, { pairs: number; longest: number; texts: PackedTexts }>();
  return (scope: TrustScope, version: number | undefined) => {
    const owners = scope.recogniser?.owners ?? [];
    const found = known.get(scope);
    if (found?.pairs === owners.length) return found;
    const texts = owners.map(({ key }) => renderKey(key, version));
    const longest = Math.max(0, ...texts.map((text) => Buffer.byteLength(text)));
    const made = { pairs: owners.length, longest, texts: packTexts(texts) };
    known.set(scope, made);
    return made;
  };
}
