/**
 * `POST /v1/verify/batch`: a body to slices as it arrives, through the gateway, to one answer in the order sent, which is
 * given when the body has ended and all of it was right.
 */
import { BATCH_STREAM, LIMITS } from '../config.ts';
import { type GatewayParts, verifySlice } from '../gateway.ts';
import type { NativeAddon } from '../native/addon.ts';
import { beginSlice, createSlice, type Slice } from '../verification/slice.ts';
import type { Admission } from './admission/admission.ts';
import type { AnswerWriter } from './answer-writer.ts';
import { type BatchAnswer, createBatchAnswer } from './batch-answer.ts';
import { createBatchReader } from './batch-reader.ts';
import { append, type BufferPool, createBufferPool, createWindow, settle } from './byte-window.ts';
import type { Exchange } from './exchange.ts';
import { type ProveRevoked, proveStale } from './prove-stale.ts';
import type { BodyFlow, BodySink } from './route.ts';
import type { RevocationView } from './verdict-reply.ts';

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

type Pace = ReturnType<typeof createPace>;

/** What all batches of a thread have in common. */
interface Shared {
  readonly slice: Slice;
  readonly pace: Pace;
  readonly pool: BufferPool;
}

export function createBatchHandler(options: VerifyBatchOptions) {
  const shared: Shared = {
    slice: createSlice(options.batchSlice),
    pace: createPace(options.batchSlice, options.parts.clock.monotonicMs),
    pool: createBufferPool(BATCH_STREAM.bufferBytes, BATCH_STREAM.spareBuffers),
  };
  return (exchange: Exchange, type: string, flow: BodyFlow): BodySink =>
    openBatch(exchange, type, flow, shared, options);
}

function openBatch(
  exchange: Exchange,
  type: string,
  flow: BodyFlow,
  shared: Shared,
  options: VerifyBatchOptions,
): BodySink {
  const { pool } = shared;
  const lane = options.admission.batches;
  const reader = createBatchReader(type, options.addon);
  const window = createWindow();
  const verdicts = createVerdicts(exchange, shared, options);
  let mayFollow = true;
  let isRunning = false;
  /** With so many bytes waiting a slice is begun. */
  let enoughBytes: number = BATCH_STREAM.gatherBytes;

  const waiting = (): number => window.end - window.start;
  const hold = (): boolean => flow.hold(waiting() + verdicts.heldBytes());

  /** Reads and verifies the next slice. False: nothing of what waits is whole. */
  const step = async (): Promise<boolean> => {
    const slice = verdicts.sliceToFill();
    const before = window.start;
    const room = Math.min(slice.capacity, shared.pace.items());
    const count = reader.read(window, slice, room, BATCH_STREAM.sliceBytes, mayFollow);
    const isRead = count > 0 || window.start !== before;
    const proving = count > 0 ? verdicts.verify(slice, window.bytes, count) : undefined;
    if (proving !== undefined) await proving;
    return isRead;
  };

  const finish = (): void => {
    const problem = reader.fault(window);
    lane.counted(exchange, verdicts.items());
    if (problem !== undefined) exchange.problem(problem);
    else verdicts.give();
  };

  const run = async (): Promise<void> => {
    if (!lane.begin(exchange)) exchange.problem(TOO_LATE);
    while ((!mayFollow || waiting() >= enoughBytes) && !exchange.isOver()) {
      if (!(await lane.slice(exchange))) {
        // No answer to a client that is made to wait: nobody would let it go on.
        flow.resume();
        exchange.problem(TOO_LATE);
        break;
      }
      if (!(await step())) {
        // A body is read in pieces; what was just found not to be whole is not looked at again for each of them.
        enoughBytes = waiting() + BATCH_STREAM.gatherBytes;
        if (!mayFollow && !exchange.isOver()) finish();
        if (!mayFollow) break;
        continue;
      }
      enoughBytes = BATCH_STREAM.gatherBytes;
      if (!hold()) break;
      if (waiting() <= BATCH_STREAM.pauseBytes) flow.resume();
    }
    isRunning = false;
    lane.rest(exchange);
    if (exchange.isOver()) verdicts.drop();
    settle(window, pool);
    flow.resume();
  };

  return {
    take: (chunk, isLast) => {
      append(window, chunk, pool);
      mayFollow = !isLast;
      if (!hold()) return;
      if (!isRunning && (isLast || waiting() >= enoughBytes)) {
        isRunning = true;
        run().catch((error) => flow.fail(error));
      }
      if (mayFollow && isRunning && waiting() > BATCH_STREAM.pauseBytes) flow.pause();
    },
  };
}

/** The verdicts on a batch's items, one slice after the other. */
function createVerdicts(exchange: Exchange, shared: Shared, options: VerifyBatchOptions) {
  const { parts, writer } = options;
  const { pace, pool } = shared;
  let prove: ProveRevoked | undefined;
  let begun: { readonly answer: BatchAnswer; readonly trust: ReturnType<GatewayParts['trust']> } | undefined;
  let items = 0;

  const begin = () => {
    // One list for all slices of a call, even if a newer one takes effect meanwhile: what is said of one item
    // must not depend on how many stood before it, and the answer names one version. The age of what is known of
    // revocations is taken before the first card is looked up.
    begun ??= {
      answer: createBatchAnswer(exchange, {
        revocation: options.revocation(),
        checkedAt: new Date(parts.clock.wallMs()),
        writer,
        pool,
      }),
      trust: parts.trust(),
    };
    return begun;
  };
  return {
    sliceToFill: (): Slice => {
      prove = options.proveRevoked();
      // What is asked elsewhere is answered in a later turn: such a slice is not shared with other calls.
      return prove === undefined ? shared.slice : createSlice(options.batchSlice);
    },
    verify: (slice: Slice, texts: Buffer, count: number): Promise<void> | undefined => {
      items += count;
      // Too many: refused when the body has ended.
      if (items > LIMITS.batchItems) return undefined;
      const { answer, trust } = begin();
      beginSlice(slice, texts, count);
      const beganMs = pace.begin();
      const scope = verifySlice(slice, parts, trust);
      pace.end(beganMs, count);
      options.admission.batches.sliced(exchange, count, parts.clock.monotonicMs() - beganMs);
      const add = (): void => {
        options.onVerified(slice.reasons.subarray(0, count));
        answer.add(slice, scope);
      };
      const proving = proveStale(slice, answer.revocation, prove);
      if (proving === undefined) add();
      return proving?.then(add);
    },
    items: (): number => items,
    heldBytes: (): number => begun?.answer.heldBytes() ?? 0,
    give: (): void => {
      const { answer, trust } = begin();
      options.onBatch(items);
      answer.give(trust?.version);
    },
    drop: (): void => begun?.answer.drop(),
  };
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
