/** The answer to a batch in the form that its caller accepts, gathered slice by slice; given only when all is read. */
import { LIMITS } from '../config.ts';
import type { Slice } from '../verification/slice.ts';
import type { TrustScope } from '../verification/trust-scope.ts';
import { rewriteAnswers } from './answer-rewriting.ts';
import type { AnswerBytes, AnswerWriter } from './answer-writer.ts';
import type { BufferPool } from './byte-window.ts';
import type { Exchange } from './exchange.ts';
import { type BatchMediaType, negotiateBatchAnswer } from './media-type.ts';
import type { Change } from './second-look.ts';
import {
  LOCAL_MEMBER,
  type RevocationView,
  renderRevocation,
  renderTail,
  summarize,
  wholeMs,
} from './verdict-reply.ts';

export interface BatchAnswerContext {
  /** As of before the first card was looked up. */
  readonly revocation: RevocationView;
  readonly checkedAt: Date;
  readonly writer: AnswerWriter;
  readonly pool: BufferPool;
}

export interface BatchAnswer {
  readonly revocation: RevocationView;
  /** The reasons so far. */
  codes(): Uint8Array;
  add(slice: Slice, scope: TrustScope | undefined): void;
  /**
   * The whole batch is there, and was looked at again: what changed, and the revocation state as of before that look.
   * `checkedAt` stays what it was, for dates were judged then.
   */
  renew(revocation: RevocationView, changes: readonly Change[]): void;
  /** Bytes of memory that it keeps. */
  heldBytes(): number;
  give(trustListVersion: number | undefined): void;
  /** It will not be given. Does nothing to one that was: its client may still be reading it. */
  drop(): void;
}

const SEPARATORS: Readonly<Record<BatchMediaType, string>> = {
  'application/json': ',',
  'application/x-ndjson': '\n',
  'application/octet-stream': '',
};

/** What an answer says beside the issuer's claims, and about what a credential takes at least. */
const ITEM_BYTES = 400;

/** Bytes that the answer to a batch may need, as far as its head tells: ordinary batches need less. */
export function answerBytesExpected({ head, contentLength }: Exchange): number {
  const itemBytes = ITEM_BYTES * LIMITS.batchItems;
  const codes = Math.min(contentLength, LIMITS.batchItems);
  if (negotiateBatchAnswer(head.accept) === 'application/octet-stream') return codes;
  // The claims, which are shorter than the credential, and what stands beside them.
  return codes + contentLength + Math.min(contentLength, itemBytes);
}

export function createBatchAnswer(exchange: Exchange, context: BatchAnswerContext): BatchAnswer {
  const { writer, pool } = context;
  let { revocation } = context;
  const contentType = negotiateBatchAnswer(exchange.head.accept);
  const isBytes = contentType === 'application/octet-stream';
  // An item takes a byte of the body at least.
  const mostItems = Math.min(LIMITS.batchItems, exchange.contentLength);
  const codes = Buffer.allocUnsafeSlow(mostItems);
  const ends = new Uint32Array(isBytes ? 0 : mostItems);
  const tailOf = (view: RevocationView): Buffer =>
    Buffer.from(renderTail({ ...context, revocation: view }) + SEPARATORS[contentType]);
  const tail = tailOf(revocation);
  const out: AnswerBytes = { bytes: isBytes ? Buffer.alloc(0) : pool.take(0), used: 0 };
  if (contentType === 'application/json') out.used = out.bytes.write('{"results":[');
  const start = out.used;
  /** Items whose proofs no other gateway could be asked about; made for the first. */
  let local: Uint8Array | undefined;
  let count = 0;
  let isGiven = false;
  const recycle = (): void => {
    pool.give(out.bytes);
    out.bytes = Buffer.alloc(0);
  };

  const give = (trustListVersion: number | undefined): void => {
    const given = codes.subarray(0, count);
    isGiven = true;
    if (isBytes) {
      // The body has no room for what else an answer must say, so a header says it.
      const headers = {
        'vigie-revocation': revocationHeader(revocation),
        ...(local && { 'vigie-replay': 'local' }),
      };
      exchange.reply({ status: 200, contentType, body: given, headers });
      return;
    }
    if (contentType === 'application/json')
      endJson(out, given, revocation, local !== undefined, trustListVersion);
    exchange.reply({ status: 200, contentType, body: out.bytes.subarray(0, out.used) });
    // A client that took it at once needs its bytes no more.
    if (exchange.isDone()) recycle();
  };
  return {
    revocation,
    codes: () => codes.subarray(0, count),
    add: (slice, scope) => {
      codes.set(slice.reasons.subarray(0, slice.count), count);
      if (slice.proofs?.isLocal) {
        local ??= new Uint8Array(mostItems);
        local.set(slice.proofs.localOnly.subarray(0, slice.count), count);
      }
      if (!isBytes) ends.set(writer.append(slice, scope, tail, out).subarray(0, slice.count), count);
      count += slice.count;
    },
    renew: (view, changes) => {
      revocation = view;
      for (const { item, code } of changes) codes[item] = code;
      if (isBytes) return;
      rewriteAnswers(out, { start, ends: ends.subarray(0, count), tail, local }, tailOf(view), changes);
    },
    heldBytes: () => codes.length + ends.byteLength + out.used + (local?.length ?? 0),
    give,
    drop: () => {
      if (!isGiven) recycle();
    },
  };
}

function endJson(
  out: AnswerBytes,
  codes: Buffer,
  revocation: RevocationView,
  isLocal: boolean,
  trustListVersion: number | undefined,
): void {
  // The last separator separates nothing.
  if (codes.length > 0) out.used--;
  const summary = JSON.stringify(summarize(codes));
  const key = JSON.stringify({ set: trustListVersion });
  const replay = isLocal ? `,${LOCAL_MEMBER}` : '';
  const end = `],"summary":${summary},"revocation":${renderRevocation(revocation)}${replay},"key":${key}}`;
  // Of ASCII throughout.
  if (out.bytes.length < out.used + end.length) {
    out.bytes = Buffer.concat([out.bytes.subarray(0, out.used)], out.used + end.length);
  }
  out.used += out.bytes.write(end, out.used);
}

function revocationHeader({ state, seq, ageMs }: RevocationView): string {
  return `state=${state}, seq=${seq}, age-ms=${wholeMs(ageMs) ?? 'unknown'}`;
}
