/**
 * Answers to what is shed: made beforehand, given before anything of the body is looked at.
 *
 * Reading a small request and refusing it costs half of what verifying it does. Whoever refuses all that comes at five
 * times its capacity does nothing else. So refusals have a share of the time; those beyond it wait, and with them their
 * connections, which send nothing meanwhile. A client that heeds `Retry-After` does not notice.
 */
import type { HttpResponse } from 'uWebSockets.js';
import { type Problem, problemReply } from '../problem.ts';
import { RETRY_AFTER_SECONDS } from '../retry-after.ts';

/** Share of the time for refusals while there are more of them, and how much of it may be saved up. */
const TIME_SHARE = 0.05;
const MOST_CREDIT_MS = 5;
/** No refusal waits for longer. */
const MOST_WAIT_MS = 500;
/** Beyond so many that wait, refusals are given at once again: the bound of the memory. */
const MOST_WAITING = 16_384;
const RELEASE_INTERVAL_MS = 5;
/** A body up to this size was mostly read with its head; a larger one is left with its client until the answer. */
const MOST_READ_BYTES = 16 * 1024;

const OVERLOADED: Problem = {
  type: 'overloaded',
  detail: 'shed before it was looked at: nothing is known of it',
};

export interface Refused {
  readonly res: HttpResponse;
  readonly requestId: string;
  /** By which the request is counted. */
  readonly route: number;
  readonly startedAtMs: number;
  readonly contentLength: number;
  /** Whether the connection must close behind the answer. */
  readonly closes: boolean;
}

export interface RefusalsOptions {
  monotonicMs(): number;
  /** Uniform in [0, 1). */
  random(): number;
  isDraining(): boolean;
  onEnd(refused: Refused, status: number | undefined): void;
  /** So many wait now. */
  onWaiting(count: number): void;
}

export interface Refusals {
  /** Answers, now or a little later; `costMs` is what reading and answering takes. */
  refuse(refused: Refused, costMs: number): void;
  stop(): void;
}

interface Waiting {
  readonly refused: Refused;
  readonly costMs: number;
  isGone: boolean;
}

export function createRefusals(options: RefusalsOptions): Refusals {
  const { monotonicMs, random, isDraining } = options;
  const answers = prebuiltAnswers();
  let waiting: Waiting[] = [];
  let released = 0;
  let creditMs = MOST_CREDIT_MS;
  let creditAtMs = monotonicMs();
  let timer: NodeJS.Timeout | undefined;

  const answer = (refused: Refused, costMs: number): void => {
    creditMs -= costMs;
    const { res, requestId, closes } = refused;
    const head = answers.heads[Math.floor(random() * answers.heads.length)] as Uint8Array;
    res.cork(() => {
      res.writeStatus(head);
      res.writeHeader('x-request-id', requestId);
      res.end(answers.body, closes || isDraining());
    });
    options.onEnd(refused, 503);
  };
  const earn = (): number => {
    const now = monotonicMs();
    creditMs = Math.min(MOST_CREDIT_MS, creditMs + TIME_SHARE * (now - creditAtMs));
    creditAtMs = now;
    return now;
  };
  const release = (): void => {
    const now = earn();
    for (; released < waiting.length; released++) {
      const { refused, costMs, isGone } = waiting[released] as Waiting;
      if (isGone) continue;
      if (creditMs <= 0 && now - refused.startedAtMs < MOST_WAIT_MS && !isDraining()) break;
      if (refused.contentLength > MOST_READ_BYTES) refused.res.resume();
      answer(refused, costMs);
    }
    waiting = waiting.slice(released);
    released = 0;
    options.onWaiting(waiting.length);
    if (waiting.length > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
  const wait = (refused: Refused, costMs: number): void => {
    const one: Waiting = { refused, costMs, isGone: false };
    refused.res.onAborted(() => {
      one.isGone = true;
      options.onEnd(refused, undefined);
    });
    if (refused.contentLength > MOST_READ_BYTES) refused.res.pause();
    waiting.push(one);
    timer ??= setInterval(release, RELEASE_INTERVAL_MS).unref();
  };
  return {
    refuse: (refused, costMs) => {
      if (creditMs <= costMs) earn();
      const isNext = waiting.length === 0 && creditMs > 0;
      if (isNext || waiting.length >= MOST_WAITING || isDraining()) answer(refused, costMs);
      else wait(refused, costMs);
    },
    stop: () => clearInterval(timer),
  };
}

/** One for each time to come back after; what differs otherwise is the request id alone. */
function prebuiltAnswers(): { readonly heads: readonly Uint8Array[]; readonly body: Uint8Array } {
  const { contentType, body } = problemReply(OVERLOADED);
  const heads = RETRY_AFTER_SECONDS.map((seconds) =>
    // The parser writes what it is told of the status line as it is, so that headers can follow.
    Buffer.from(`503 Service Unavailable\r\nretry-after: ${seconds}\r\ncontent-type: ${contentType}`),
  );
  return { heads, body: Buffer.from(body) };
}
