/**
 * Answers to a whole slice as bytes: by native code for what was decoded in bulk, by `verdict-reply.ts` for the rest.
 * The bytes are the same by either.
 */
import { verificationAt } from '../gateway.ts';
import { type NativeAddon, NO_PAIR } from '../native/addon.ts';
import { ROW_WORDS } from '../native/fields.ts';
import { REASONS } from '../verdict.ts';
import type { Slice } from '../verification/slice.ts';
import type { TrustScope } from '../verification/trust-scope.ts';
import { renderHead, renderKey, renderVerification } from './verdict-reply.ts';

export interface AnswerWriter {
  /**
   * Renders the answers of a slice one behind the other, `tail` at the end of each. Valid until the next call.
   * `ends[i]` is where that of item i ends.
   */
  write(slice: Slice, scope: TrustScope | undefined, tail: string): WrittenAnswers;
}

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
  let out = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  const makeRoom = (bytes: number, used: number): void => {
    if (used + bytes <= out.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (used + bytes));
    out.copy(larger, 0, 0, used);
    out = larger;
  };

  /** Of the rows `[from, to)`, all decoded in bulk. */
  const writeRows = (slice: Slice, scope: TrustScope, tail: Buffer, from: number, to: number, at: number) => {
    const { payloads, rows, dates, reasons, holds } = slice;
    const keys = keyTexts(scope, slice.trustListVersion);
    let bytes = 0;
    for (let i = from; i < to; i++) {
      const row = i * ROW_WORDS;
      bytes += 2 * ((rows[row + 3] as number) - (rows[row + 2] as number));
    }
    makeRoom(bytes + (to - from) * (FIXED_BYTES + headBytes + keys.longest + tail.length), at);
    const { texts } = keys;
    const rowArrays = [payloads, rows, dates, reasons, holds] as const;
    const textArrays = [heads.bytes, heads.ends, texts.bytes, texts.ends, tail] as const;
    return (addon as NativeAddon).writeAnswers(...rowArrays, ...textArrays, from, to, out, at, ends);
  };

  const writeOne = (slice: Slice, tail: string, item: number, at: number): number => {
    const text = renderVerification(verificationAt(slice, item), tail);
    makeRoom(Buffer.byteLength(text), at);
    const end = at + out.write(text, at, 'utf8');
    ends[item] = end;
    return end;
  };

  return {
    write: (slice, scope, tail) => {
      const tailBytes = Buffer.from(tail, 'utf8');
      const isRow = (item: number) => slice.rows[item * ROW_WORDS] !== NO_PAIR;
      let at = 0;
      for (let item = 0; item < slice.count; ) {
        let end = item;
        while (end < slice.count && isRow(end)) end++;
        if (end > item) at = writeRows(slice, scope as TrustScope, tailBytes, item, end, at);
        else at = writeOne(slice, tail, end++, at);
        item = end;
      }
      return { bytes: out.subarray(0, at), ends };
    },
  };
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
