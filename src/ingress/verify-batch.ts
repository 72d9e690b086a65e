/**
 * `POST /v1/verify/batch`: a body to slices as it arrives, through the gateway, to one answer in the order sent, which is
 * given when the body has ended and all of it was right.
 */
import { BATCH_STREAM, LIMITS } from '../config.ts';
import type { NativeAddon } from '../native/addon.ts';
import { createSlicePool } from '../verification/slice-pool.ts';
import { answerBytesExpected } from './batch-answer.ts';
import { createBatchReader } from './batch-reader.ts';
import {
  type BatchVerdictsOptions,
  createBatchVerdicts,
  createPace,
  type SharedByBatches,
} from './batch-verdicts.ts';
import { append, createBufferPool, createWindow, settle } from './byte-window.ts';
import type { Exchange } from './exchange.ts';
import { proofBytesExpected } from './kept-proofs.ts';
import type { Problem } from './problem.ts';
import type { BodyFlow, BodySink } from './route.ts';
import { cardBytesExpected } from './second-look.ts';
import { AUDITED_ITEM_BYTES } from './verification-audit.ts';

export interface VerifyBatchOptions extends BatchVerdictsOptions {
  readonly addon: NativeAddon | undefined;
}

/** Harmless where nobody waits for the answer any more. */
const TOO_LATE = {
  type: 'overloaded',
  detail: 'the batch could not be begun in time: nothing is known of it',
} as const;

const NO_LOT = {
  type: 'forbidden',
  detail: `more than ${LIMITS.lotItems} items are a lot, which is not among the caller's scopes`,
} as const;

const OVER_QUOTA = {
  type: 'quota-exceeded',
  detail: "the batch holds more than the caller's own quota has left: nothing of it was answered",
} as const;

const NO_ROOM = { type: 'overloaded', detail: 'too many batches are under way' } as const;

export function createBatchHandler(options: VerifyBatchOptions) {
  const shared: SharedByBatches = {
    slices: createSlicePool(options.batchSlice),
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
  shared: SharedByBatches,
  options: VerifyBatchOptions,
): BodySink {
  const { pool, slices } = shared;
  const lane = options.admission.batches;
  const reader = createBatchReader(type, options.addon);
  const window = createWindow();
  const verdicts = createBatchVerdicts(exchange, shared, options);
  let mayFollow = true;
  let isRunning = false;
  /** With so many bytes waiting a slice is begun. */
  let enoughBytes: number = BATCH_STREAM.gatherBytes;

  const bytesExpected = memoryExpected(exchange, options);
  const waiting = (): number => window.end - window.start;
  const hold = (): boolean => flow.hold(waiting() + verdicts.heldBytes());
  /** Once begun a batch goes on as long as there is room for what it keeps. */
  const hasRoom = (): boolean => flow.reserve(bytesExpected) || verdicts.items() > 0;
  const refuse = (problem: Problem, headers?: Readonly<Record<string, string>>): void => {
    if (problem === NO_ROOM && !exchange.isOver()) options.admission.noRoom();
    // What is answered while its client is made to wait would leave the connection so.
    flow.resume();
    exchange.problem(problem, headers);
  };
  /** Items beyond a batch's bound are only counted. */
  const looked = (items: number): number => Math.min(items, LIMITS.batchItems);
  /** Whether the caller's quota has so many items more; if not, the batch ends here. */
  const isWithinQuota = (count: number): boolean => {
    const waitMs = exchange.spend(looked(verdicts.items() + count));
    if (waitMs > 0) refuse(OVER_QUOTA, { 'retry-after': `${Math.ceil(waitMs / 1000)}` });
    return waitMs === 0;
  };

  /** Reads and verifies the next slice, or refuses it. False: nothing of what waits is whole. */
  const step = async (): Promise<boolean> => {
    const slice = slices.take(options.batchSlice);
    const before = window.start;
    const room = Math.min(slice.capacity, shared.pace.items());
    const count = reader.read(window, slice, room, BATCH_STREAM.sliceBytes, mayFollow);
    const isRead = count > 0 || window.start !== before;
    const mayVerify = count > 0 && isWithinQuota(count);
    const settling = mayVerify ? verdicts.verify(slice, window.bytes, count) : undefined;
    // Its caller may leave while something is asked elsewhere, and owes what was verified all the same.
    exchange.credentials = looked(verdicts.items());
    if (settling !== undefined) await settling;
    slices.give(slice);
    return isRead;
  };

  const finish = async (): Promise<void> => {
    const problem = reader.fault(window);
    // What is wrong says nothing of how large items are.
    lane.counted(exchange, problem === undefined ? verdicts.items() : undefined);
    if (problem !== undefined) exchange.problem(problem);
    else await verdicts.give();
  };

  const run = async (): Promise<void> => {
    if (!hasRoom()) refuse(NO_ROOM);
    else if (!lane.begin(exchange)) refuse(TOO_LATE);
    while ((!mayFollow || waiting() >= enoughBytes) && !exchange.isOver()) {
      if (!(await lane.slice(exchange))) refuse(TOO_LATE);
      else if (!hasRoom()) refuse(NO_ROOM);
      if (exchange.isOver()) break;
      if (!(await step())) {
        // A body is read in pieces; what was just found not to be whole is not looked at again for each of them.
        enoughBytes = waiting() + BATCH_STREAM.gatherBytes;
        if (!mayFollow && !exchange.isOver()) await finish();
        if (!mayFollow) break;
        continue;
      }
      // Its client may have left while something was asked elsewhere: then nothing may be used up for it.
      if (!exchange.isOver() && isForbiddenLot(exchange)) refuse(NO_LOT);
      if (exchange.isOver()) break;
      enoughBytes = BATCH_STREAM.gatherBytes;
      if (!hold()) break;
      if (!mayFollow && waiting() === 0) {
        await finish();
        break;
      }
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

/** Bytes that a batch will normally keep at most: of its body, of its cards and proofs, and of its answer. */
function memoryExpected(exchange: Exchange, { knownCards, audit }: VerifyBatchOptions): number {
  const { contentLength } = exchange;
  const windowBytes = Math.min(contentLength, BATCH_STREAM.windowBytes);
  return (
    windowBytes +
    cardBytesExpected(contentLength, knownCards, audit === undefined ? 0 : AUDITED_ITEM_BYTES) +
    proofBytesExpected(contentLength) +
    answerBytesExpected(exchange)
  );
}

/** What a batch is, only its items say; a lot is refused as soon as it shows itself as one. */
function isForbiddenLot({ caller, credentials }: Exchange): boolean {
  return caller !== undefined && credentials > LIMITS.lotItems && !caller.scopes.has('lots');
}
