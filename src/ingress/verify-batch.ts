/** `POST /v1/verify/batch`: a body to slices, through the gateway, to one answer in the order sent. */
import { type GatewayParts, verifySlice } from '../gateway.ts';
import type { NativeAddon } from '../native/addon.ts';
import { beginSlice, createSlice, type PlacedTexts, type Slice } from '../verification/slice.ts';
import type { TrustScope } from '../verification/trust-scope.ts';
import type { Admission } from './admission/admission.ts';
import type { AnswerWriter } from './answer-writer.ts';
import { readBatchItems } from './batch-items.ts';
import type { Exchange, Reply } from './exchange.ts';
import { type BatchMediaType, negotiateBatchAnswer } from './media-type.ts';
import { type ProveRevoked, proveStale } from './prove-stale.ts';
import { type RevocationView, renderRevocation, renderTail, summarize, wholeMs } from './verdict-reply.ts';

export interface VerifyBatchOptions {
  readonly parts: GatewayParts;
  readonly addon: NativeAddon | undefined;
  /** The revocation state as of now. */
  revocation(): RevocationView;
  proveRevoked(): ProveRevoked | undefined;
  /** Most items verified before the event loop turns. */
  readonly batchSlice: number;
  readonly writer: AnswerWriter;
  /** Tells whose turn it is. */
  readonly admission: Admission;
  /** Told of the reasons given, by their codes, for the metrics. */
  onVerified(codes: Uint8Array): void;
  onBatch(items: number): void;
}

/** Work on one batch between two turns of the event loop, about: slices shrink where an engine is slow. */
const SLICE_MS = 2;

/** Harmless where nobody waits for the answer any more. */
const TOO_LATE = {
  type: 'overloaded',
  detail: 'the batch could not be begun in time: nothing is known of it',
} as const;

export function createBatchHandler(options: VerifyBatchOptions) {
  const { parts } = options;
  const shared = createSlice(options.batchSlice);
  const pace = createPace(options.batchSlice, parts.clock.monotonicMs);

  return async (exchange: Exchange, body: Buffer, type: string): Promise<void> => {
    const lane = options.admission.batches;
    const items = readBatchItems(type, body, options.addon);
    if (!items.ok) return exchange.problem(items.problem);
    if (!lane.begin(exchange, items.value.count)) return exchange.problem(TOO_LATE);
    if (!(await lane.slice(exchange))) return exchange.problem(TOO_LATE);
    const revocation = options.revocation();
    const answer = createBatchAnswer(exchange, items.value.count, {
      revocation,
      checkedAt: new Date(parts.clock.wallMs()),
      writer: options.writer,
    });
    // One list for all slices of a call, even if a newer one takes effect meanwhile: what is said of one item
    // must not depend on how many stood before it, and the answer names one version.
    const trust = parts.trust();
    for (let from = 0; from < items.value.count; ) {
      if (from > 0 && !(await lane.slice(exchange))) return;
      if (exchange.isOver()) return;
      const began = pace.begin();
      const prove = options.proveRevoked();
      // What is asked elsewhere is answered in a later turn: such a slice is not shared with other calls.
      const slice = prove === undefined ? shared : createSlice(options.batchSlice);
      const to = sliceEnd(items.value, from, pace.items());
      placeSlice(slice, items.value, from, to);
      const scope = verifySlice(slice, parts, trust);
      pace.end(began, to - from);
      lane.sliced(exchange, to - from, parts.clock.monotonicMs() - began);
      const proving = proveStale(slice, revocation, prove);
      if (proving !== undefined) await proving;
      options.onVerified(slice.reasons.subarray(0, slice.count));
      answer.add(slice, scope, from);
      from = to;
    }
    options.onBatch(items.value.count);
    exchange.reply(answer.reply(trust?.version));
  };
}

/** Text of a slice: a few large items take as long as many small ones. */
const SLICE_BYTES = 256 * 1024;

/** Behind the last item of a slice that begins at `from`; one item at least. */
function sliceEnd({ count, starts, ends }: PlacedTexts, from: number, most: number): number {
  const limit = Math.min(count, from + most);
  let to = from;
  let bytes = 0;
  do {
    bytes += (ends[to] as number) - (starts[to] as number);
    to++;
  } while (to < limit && bytes < SLICE_BYTES);
  return to;
}

function placeSlice(slice: Slice, { texts, starts, ends }: PlacedTexts, from: number, to: number): void {
  beginSlice(slice, texts, to - from);
  slice.starts = starts.subarray(from, to);
  slice.ends = ends.subarray(from, to);
}

/** How many items a slice may have, by how long the last ones took. */
function createPace(most: number, monotonicMs: () => number) {
  let items = Math.min(most, 16);
  return {
    items: () => items,
    begin: monotonicMs,
    end: (beganMs: number, done: number): void => {
      const tookMs = monotonicMs() - beganMs;
      const wanted = tookMs > 0 ? Math.floor((done * SLICE_MS) / tookMs) : most;
      // Twice as many at the most: one quick slice of malformed items says little of the next.
      items = Math.max(1, Math.min(most, wanted, 2 * items));
    },
  };
}

interface AnswerContext {
  readonly revocation: RevocationView;
  readonly checkedAt: Date;
  readonly writer: AnswerWriter;
}

/** The answer in the form that the caller accepts, gathered slice by slice. */
function createBatchAnswer(exchange: Exchange, count: number, context: AnswerContext) {
  const contentType = negotiateBatchAnswer(exchange.head.accept);
  const codes = Buffer.alloc(count);
  const tail = renderTail(context) + SEPARATORS[contentType];
  const results: Buffer[] = [];
  return {
    add: (slice: Slice, scope: TrustScope | undefined, from: number): void => {
      codes.set(slice.reasons.subarray(0, slice.count), from);
      if (contentType === 'application/octet-stream') return;
      results.push(Buffer.from(context.writer.write(slice, scope, tail).bytes));
    },
    reply: (trustListVersion: number | undefined): Reply => {
      if (contentType === 'application/octet-stream') {
        // The body has no room for what else an answer must say, so a header says it.
        const headers = { 'vigie-revocation': revocationHeader(context.revocation) };
        return { status: 200, contentType, body: codes, headers };
      }
      if (contentType === 'application/x-ndjson') {
        return { status: 200, contentType, body: Buffer.concat(results) };
      }
      return { status: 200, contentType, body: jsonAnswer(results, codes, context, trustListVersion) };
    },
  };
}

const SEPARATORS: Readonly<Record<BatchMediaType, string>> = {
  'application/json': ',',
  'application/x-ndjson': '\n',
  'application/octet-stream': '',
};

function jsonAnswer(
  results: readonly Buffer[],
  codes: Buffer,
  { revocation }: AnswerContext,
  trustListVersion: number | undefined,
): Buffer {
  const last = results.at(-1);
  // The last separator separates nothing.
  const separated = last === undefined ? [] : [...results.slice(0, -1), last.subarray(0, -1)];
  const summary = JSON.stringify(summarize(codes));
  const key = JSON.stringify({ set: trustListVersion });
  const shared = `],"summary":${summary},"revocation":${renderRevocation(revocation)},"key":${key}}`;
  return Buffer.concat([Buffer.from('{"results":['), ...separated, Buffer.from(shared)]);
}

function revocationHeader({ state, seq, ageMs }: RevocationView): string {
  return `state=${state}, seq=${seq}, age-ms=${wholeMs(ageMs) ?? 'unknown'}`;
}
