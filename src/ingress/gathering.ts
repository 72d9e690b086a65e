/**
 * Single calls that arrive in one turn of the event loop, gathered: their signatures go to the engine as one batch.
 * None waits for company longer than that turn.
 *
 * A call behind which more stands in what was read from its connection is answered at once, since the parser closes a
 * connection whose next request comes while an answer is pending; and alone: while one connection is being read, an
 * answer to another cannot be put together before it is sent, and goes out in a dozen system calls. So is one of which
 * nobody can tell what stands behind it, unless it has a proof about which other gateways are to be asked.
 */
import { LIMITS } from '../config.ts';
import { type GatewayParts, verifySlice } from '../gateway.ts';
import type { NativeAddon } from '../native/addon.ts';
import { deferProofs, takeProofs } from '../verification/replays.ts';
import { createSlicePool, type SlicePool } from '../verification/slice-pool.ts';
import type { AnswerWriter } from './answer-writer.ts';
import type { Exchange } from './exchange.ts';
import {
  type Calls,
  emptyGathering,
  enter,
  type Gathered,
  placeSlice,
  put,
  sliceEnd,
  takeOut,
} from './gathered-calls.ts';
import { UNANSWERED } from './problem.ts';
import type { ProveRevoked } from './prove-stale.ts';
import { createQueueDelay } from './queue-delay.ts';
import type { Behind, BodyLanding } from './route.ts';
import { CORK_BUFFER_BYTES } from './server-exchange.ts';
import { settleElsewhere } from './settle-elsewhere.ts';
import { createTailRenderer, type RevocationView } from './verdict-reply.ts';
import { createAuditedCards, type VerificationAudit } from './verification-audit.ts';

export interface GatheringOptions {
  readonly parts: GatewayParts;
  readonly addon: NativeAddon | undefined;
  /** The revocation state as of now. */
  revocation(): RevocationView;
  proveRevoked(): ProveRevoked | undefined;
  /** Whether the call may ask about another instant. */
  mayChooseAt(exchange: Exchange): boolean;
  /** Told of each verification; absent where none is kept. */
  readonly audit?: VerificationAudit | undefined;
  readonly writer: AnswerWriter;
  /** Told of the reasons given, by their codes, for the metrics. */
  onVerified(codes: Uint8Array): void;
  /** Told once a turn how long the first call that was gathered in it waited (seconds). */
  onQueued(seconds: number): void;
  /** `requestId`: of one of the calls that failed with it, where it may be logged. */
  onUnexpectedError(error: unknown, requestId: string | undefined): void;
  /** All calls of a turn of the event loop were answered. */
  onTurnAnswered(): void;
  /** The first call of a turn was gathered: `onTurnAnswered` will follow. */
  onTurnBegun(): void;
}

/** Calls of one engine batch; those of one turn are answered so many at a time. */
export const GATHERED_SLICE = 256;
/** Calls of one turn, as many as connections that were readable in it; any more are answered alone. */
export const MAX_GATHERED_CALLS = 4096;
/** Whoever writes it otherwise is not told from one without a proof. */
const PROOF_MEMBER = '"holderProof"';
/** Their bodies: those of ordinary size all, of the largest several. Memory is taken as it is used. */
const BODY_BYTES = 4 * 1024 * 1024;

/** What a route of single calls has of this. */
export interface SingleHandler {
  handle(exchange: Exchange, body: Buffer, type: string, behind: Behind): void;
  readonly landing: BodyLanding;
}

export function createSingleHandler(options: GatheringOptions): SingleHandler {
  const gathered = emptyGathering(MAX_GATHERED_CALLS, BODY_BYTES);
  const alone = emptyGathering(1, LIMITS.singleBodyBytes);
  const shared = { slices: createSlicePool(GATHERED_SLICE), tailOf: createTailRenderer(), waiting: 0 };
  const queue = createQueueDelay(options.parts.clock, options.onQueued);
  let flushIsDue = false;

  /** What fails here fails those that were gathered, whoever's turn it is: each of them is answered. */
  const answerAll = (from: Gathered, mayWait: boolean): void => {
    const asked = from.exchanges.slice(0, from.count) as Exchange[];
    if (asked.length === 0) return;
    try {
      answer(takeOut(from, options.addon, options.mayChooseAt), mayWait, shared, options);
    } catch (error) {
      fail(asked, error, options);
    }
  };
  const flush = (): void => {
    flushIsDue = false;
    queue.end();
    answerAll(gathered, true);
    options.onTurnAnswered();
  };

  /** Another one was gathered: this turn ends with the answers. */
  const flushLater = (): void => {
    if (flushIsDue) return;
    flushIsDue = true;
    queue.begin();
    options.onTurnBegun();
    setImmediate(flush);
  };

  return {
    handle: (exchange, body, type, behind) => {
      exchange.credentials = 1;
      const isFull = gathered.count === MAX_GATHERED_CALLS || gathered.used + body.length > BODY_BYTES;
      // If a request stands behind it after all, its connection does not outlive this turn: then its proof is not used up.
      const mayFollow = behind === 'unknown' && options.parts.replay.share !== undefined;
      const isAlone = mayFollow ? !body.includes(PROOF_MEMBER) : behind !== 'nothing';
      if (isAlone || isFull) {
        put(alone, exchange, body, type);
        // Where nobody can tell what stands behind, nearly always nothing does: those who have to be asked are asked.
        answerAll(alone, behind !== 'request');
        return;
      }
      put(gathered, exchange, body, type);
      flushLater();
    },
    landing: {
      bytes: gathered.bodies,
      mostBytes: LIMITS.singleBodyBytes,
      at: () => (gathered.count === MAX_GATHERED_CALLS ? BODY_BYTES : gathered.used),
      take: (exchange, type) => {
        exchange.credentials = 1;
        enter(gathered, exchange, exchange.contentLength, type);
        flushLater();
      },
    },
  };
}

/** Those that have their answer keep it. */
function fail(asked: readonly Exchange[], error: unknown, options: GatheringOptions): void {
  options.onUnexpectedError(error, asked[0]?.loggableId);
  for (const exchange of asked) exchange.problem(UNANSWERED);
}

/** What all turns use again. */
interface Shared {
  readonly slices: SlicePool;
  readonly tailOf: ReturnType<typeof createTailRenderer>;
  /** Slices that wait for what others know. */
  waiting: number;
}

/** Answers them, a slice at a time: what one fails by is not another's fault. `mayWait`: later, if need be. */
function answer(calls: Calls, mayWait: boolean, shared: Shared, options: GatheringOptions): void {
  const count = calls.exchanges.length;
  for (let from = 0; from < count; ) {
    const to = sliceEnd(calls, from, GATHERED_SLICE);
    try {
      answerSlice(calls, from, to, mayWait, shared, options);
    } catch (error) {
      fail(calls.exchanges.slice(from, to), error, options);
    }
    from = to;
  }
}

function answerSlice(
  calls: Calls,
  from: number,
  to: number,
  mayWait: boolean,
  shared: Shared,
  options: GatheringOptions,
): void {
  const { slices, tailOf } = shared;
  // Others are asked in bounded number; and not for a call whose connection the parser would close meanwhile.
  const mayAsk = mayWait && shared.waiting < LIMITS.waitingSlices;
  const prove = mayAsk ? options.proveRevoked() : undefined;
  const slice = slices.take(to - from);
  placeSlice(slice, calls, from, to);
  // The age is read before the status is: what is learnt in between makes the answer better than it claims.
  const revocation = options.revocation();
  const checkedAtMs = options.parts.clock.wallMs();
  const { parts } = options;
  const scope = verifySlice(slice, parts, parts.trust());
  if (mayAsk || parts.replay.share === undefined) takeProofs(slice, parts.replay, parts.clock.wallMs());
  else deferProofs(slice);
  const audited = options.audit && createAuditedCards(options.audit);
  audited?.keep(slice, 0);
  // When others have answered, the texts are those of a later turn: nothing behind this line reads them.
  const reply = (): void => {
    const codes = slice.reasons.subarray(0, slice.count);
    options.onVerified(codes);
    audited?.tell(checkedAtMs, codes, (item) => calls.exchanges[from + item] as Exchange);
    const { bytes, ends } = options.writer.write(slice, scope, tailOf(revocation, checkedAtMs));
    // Asked for once: each time the engine calls out of JavaScript for it.
    const { buffer, byteOffset } = bytes;
    let start = 0;
    for (let i = from; i < to; i++) {
      const end = ends[i - from] as number;
      // Not by `subarray`, which is slower of a Buffer. Written out before the reply returns, or copied where the client does not
      // take it at once.
      const body = new Uint8Array(buffer, byteOffset + start, end - start);
      (calls.exchanges[i] as Exchange).replyJson(end - start > CORK_BUFFER_BYTES ? Buffer.from(body) : body);
      start = end;
    }
    slices.give(slice);
  };
  const settling = settleElsewhere(slice, revocation, prove, parts);
  if (settling === undefined) {
    reply();
    return;
  }
  for (let i = from; i < to; i++) (calls.exchanges[i] as Exchange).waitElsewhere();
  shared.waiting++;
  settling
    .finally(() => {
      shared.waiting--;
    })
    .then(reply)
    .catch((error) => fail(calls.exchanges.slice(from, to), error, options));
}
