/**
 * Single calls that arrive in one turn of the event loop, gathered: their signatures go to the engine as one batch.
 * None waits for company longer than that turn.
 *
 * A call behind which more stands in what was read from its connection is answered at once, since the parser closes a
 * connection whose next request comes while an answer is pending; and alone: while one connection is being read, an
 * answer to another cannot be put together before it is sent, and goes out in a dozen system calls.
 */
import { LIMITS } from '../config.ts';
import { type GatewayParts, verifySlice } from '../gateway.ts';
import { type NativeAddon, NO_PLACE } from '../native/addon.ts';
import { beginSlice, createSlice, type Slice } from '../verification/slice.ts';
import type { AnswerWriter } from './answer-writer.ts';
import { parseSingle } from './envelope.ts';
import type { Exchange } from './exchange.ts';
import { UNANSWERED } from './problem.ts';
import { type ProveRevoked, proveStale } from './prove-stale.ts';
import { createQueueDelay } from './queue-delay.ts';
import { CORK_BUFFER_BYTES } from './server-exchange.ts';
import { createTailRenderer, type RevocationView } from './verdict-reply.ts';

export interface GatheringOptions {
  readonly parts: GatewayParts;
  readonly addon: NativeAddon | undefined;
  /** The revocation state as of now. */
  revocation(): RevocationView;
  proveRevoked(): ProveRevoked | undefined;
  readonly writer: AnswerWriter;
  /** Told of the reasons given, by their codes, for the metrics. */
  onVerified(codes: Uint8Array): void;
  /** Told once a turn how long the first call that was gathered in it waited (seconds). */
  onQueued(seconds: number): void;
  onUnexpectedError(error: unknown): void;
  /** All calls of a turn of the event loop were answered. */
  onTurnAnswered(): void;
  /** The first call of a turn was gathered: `onTurnAnswered` will follow. */
  onTurnBegun(): void;
}

/** Calls of one engine batch; those of one turn are answered so many at a time. */
export const GATHERED_SLICE = 256;
/** Calls of one turn, as many as connections that were readable in it; any more are answered alone. */
export const MAX_GATHERED_CALLS = 4096;
/** Their bodies: those of ordinary size all, of the largest several. Memory is taken as it is used. */
const BODY_BYTES = 4 * 1024 * 1024;

/** `mayWait`: nothing stands behind the request in what was read from its connection. */
export type SingleHandler = (exchange: Exchange, body: Buffer, type: string, mayWait: boolean) => void;

/** The calls gathered so far. */
interface Gathered {
  readonly bodies: Buffer;
  used: number;
  count: number;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  readonly isJson: Uint8Array;
  readonly audienceStarts: Uint32Array;
  readonly audienceEnds: Uint32Array;
  readonly exchanges: (Exchange | undefined)[];
}

export function createSingleHandler(options: GatheringOptions): SingleHandler {
  const gathered = emptyGathering(MAX_GATHERED_CALLS, BODY_BYTES);
  const alone = emptyGathering(1, LIMITS.singleBodyBytes);
  const shared = { slice: createSlice(GATHERED_SLICE), tailOf: createTailRenderer() };
  const queue = createQueueDelay(options.parts.clock, options.onQueued);
  let flushIsDue = false;

  /** What fails here fails those that were gathered, whoever's turn it is: each of them is answered. */
  const answerAll = (from: Gathered): void => {
    const asked = from.exchanges.slice(0, from.count) as Exchange[];
    if (asked.length === 0) return;
    try {
      answer(takeOut(from, options.addon), shared, options);
    } catch (error) {
      fail(asked, error, options);
    }
  };
  const flush = (): void => {
    flushIsDue = false;
    queue.end();
    answerAll(gathered);
    options.onTurnAnswered();
  };

  return (exchange, body, type, mayWait) => {
    const isFull = gathered.count === MAX_GATHERED_CALLS || gathered.used + body.length > BODY_BYTES;
    if (!mayWait || isFull) {
      put(alone, exchange, body, type);
      answerAll(alone);
      return;
    }
    put(gathered, exchange, body, type);
    if (flushIsDue) return;
    flushIsDue = true;
    queue.begin();
    options.onTurnBegun();
    setImmediate(flush);
  };
}

/** Those that have their answer keep it. */
function fail(asked: readonly Exchange[], error: unknown, options: GatheringOptions): void {
  options.onUnexpectedError(error);
  for (const exchange of asked) exchange.problem(UNANSWERED);
}

function emptyGathering(calls: number, bodyBytes: number): Gathered {
  const words = () => new Uint32Array(calls);
  return {
    bodies: Buffer.allocUnsafeSlow(bodyBytes),
    used: 0,
    count: 0,
    starts: words(),
    ends: words(),
    isJson: new Uint8Array(calls),
    audienceStarts: words(),
    audienceEnds: words(),
    exchanges: new Array<Exchange | undefined>(calls).fill(undefined),
  };
}

function put(gathered: Gathered, exchange: Exchange, body: Buffer, type: string): void {
  const { bodies, used, count, starts, ends, isJson, exchanges } = gathered;
  bodies.set(body, used);
  starts[count] = used;
  gathered.used = used + body.length;
  ends[count] = gathered.used;
  isJson[count] = type === 'application/json' ? 1 : 0;
  exchanges[count] = exchange;
  gathered.count = count + 1;
}

/** What is to be verified: envelopes that are wrong have been answered, and whoever left is not among them. */
interface Calls {
  readonly exchanges: readonly Exchange[];
  readonly texts: Buffer;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  readonly audiences: readonly (string | undefined)[] | undefined;
}

/** Empties the gathering, and finds the credential in each body. */
function takeOut(gathered: Gathered, addon: NativeAddon | undefined): Calls {
  const { bodies, used, count, starts, ends, isJson, audienceStarts, audienceEnds } = gathered;
  gathered.count = 0;
  gathered.used = 0;
  const texts = bodies.subarray(0, used);
  const bodyStarts = starts.slice(0, count);
  if (addon === undefined) {
    for (let i = 0; i < count; i++) if (isJson[i] === 1) starts[i] = NO_PLACE;
    audienceStarts.fill(NO_PLACE, 0, count);
  } else {
    addon.scanSingles(texts, starts, ends, isJson, count, audienceStarts, audienceEnds);
  }
  const exchanges: Exchange[] = [];
  let audiences: (string | undefined)[] | undefined;
  for (let i = 0; i < count; i++) {
    const exchange = gathered.exchanges[i] as Exchange;
    gathered.exchanges[i] = undefined;
    // Its client left while it waited.
    if (exchange.isOver()) continue;
    const at = exchanges.length;
    let audience: string | undefined;
    if (starts[i] === NO_PLACE) {
      const start = bodyStarts[i] as number;
      const envelope = parseSingle(texts.subarray(start, ends[i]));
      if (!envelope.ok) {
        exchange.problem(envelope.problem);
        continue;
      }
      // A string is never longer than its JSON: it fits where that stood.
      starts[at] = start;
      ends[at] = start + texts.write(envelope.value.credential, start, 'utf8');
      audience = envelope.value.audience;
    } else {
      starts[at] = starts[i] as number;
      ends[at] = ends[i] as number;
      const audienceStart = audienceStarts[i] as number;
      if (audienceStart !== NO_PLACE) audience = texts.toString('latin1', audienceStart, audienceEnds[i]);
    }
    if (audience !== undefined) {
      audiences ??= new Array<string | undefined>(count).fill(undefined);
      audiences[at] = audience;
    }
    exchanges.push(exchange);
  }
  return { exchanges, texts, starts, ends, audiences };
}

/** What all turns use again. */
interface Shared {
  readonly slice: Slice;
  readonly tailOf: ReturnType<typeof createTailRenderer>;
}

/** Answers them, a slice at a time. */
function answer(calls: Calls, shared: Shared, options: GatheringOptions): void {
  const count = calls.exchanges.length;
  const prove = options.proveRevoked();
  // What is asked elsewhere is answered in a later turn, when others will have been gathered.
  const kept = prove === undefined ? calls : privateCopy(calls);
  for (let from = 0; from < count; from += GATHERED_SLICE) {
    answerSlice(kept, from, Math.min(count, from + GATHERED_SLICE), shared, prove, options);
  }
}

function answerSlice(
  calls: Calls,
  from: number,
  to: number,
  shared: Shared,
  prove: ProveRevoked | undefined,
  options: GatheringOptions,
): void {
  const { tailOf } = shared;
  const slice = prove === undefined ? shared.slice : createSlice(to - from);
  placeSlice(slice, calls, from, to);
  // The age is read before the status is: what is learnt in between makes the answer better than it claims.
  const revocation = options.revocation();
  const checkedAtMs = options.parts.clock.wallMs();
  const scope = verifySlice(slice, options.parts, options.parts.trust());
  const reply = (): void => {
    options.onVerified(slice.reasons.subarray(0, slice.count));
    const tail = tailOf(revocation, checkedAtMs);
    const { bytes, ends } = options.writer.write(slice, scope, tail);
    let start = 0;
    for (let i = from; i < to; i++) {
      const end = ends[i - from] as number;
      // Written out before it returns, or copied where the client does not take it at once.
      const body = bytes.subarray(start, end);
      (calls.exchanges[i] as Exchange).replyJson(end - start > CORK_BUFFER_BYTES ? Buffer.from(body) : body);
      start = end;
    }
  };
  const proving = proveStale(slice, revocation, prove);
  if (proving === undefined) reply();
  else proving.then(reply).catch((error) => fail(calls.exchanges.slice(from, to), error, options));
}

function privateCopy({ exchanges, texts, starts, ends, audiences }: Calls): Calls {
  return { exchanges, texts: Buffer.from(texts), starts: starts.slice(), ends: ends.slice(), audiences };
}

function placeSlice(slice: Slice, calls: Calls, from: number, to: number): void {
  const { texts, starts, ends, audiences } = calls;
  beginSlice(slice, texts, to - from);
  slice.starts = starts.subarray(from, to);
  slice.ends = ends.subarray(from, to);
  slice.audiences = audiences?.slice(from, to);
}
