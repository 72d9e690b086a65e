/**
 * One request and its one answer. The parser's `res` is a trap for the unwary: touching it after an abort
 * throws, and leaving it unanswered wedges the connection; so all replies go through here, where the second
 * answer and the answer to nobody are harmless.
 */
import type { HttpResponse } from 'uWebSockets.js';
import { type Problem, problemReply } from './problem.ts';
import type { RequestHead } from './request-head.ts';
import { retryAfter } from './retry-after.ts';

export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Exchange {
  readonly head: RequestHead;
  readonly requestId: string;
  /** Answered, or the client went away: nothing more need be done for it. */
  isOver(): boolean;
  reply(reply: Reply): void;
  problem(problem: Problem, headers?: Readonly<Record<string, string>>): void;
}

/** Reason phrases of the status codes that this gateway sends (RFC 9110 section 15). */
const STATUS_LINES: Readonly<Record<number, string>> = {
  200: '200 OK',
  400: '400 Bad Request',
  401: '401 Unauthorized',
  403: '403 Forbidden',
  404: '404 Not Found',
  405: '405 Method Not Allowed',
  408: '408 Request Timeout',
  409: '409 Conflict',
  413: '413 Content Too Large',
  415: '415 Unsupported Media Type',
  422: '422 Unprocessable Content',
  500: '500 Internal Server Error',
  503: '503 Service Unavailable',
};

export interface ExchangeOptions {
  readonly head: RequestHead;
  readonly requestId: string;
  /** An answer that its client has not taken after so long is cut off, with its connection. */
  readonly answerTimeoutMs: number;
  /** Whether the connection must close behind the answer; asked when the answer is written. */
  mustClose(): boolean;
  /** The client did not take the answer at once: so many bytes are kept for it until the exchange ends. */
  onAnswerKept(bytes: number): void;
  /**
   * Called once: with the status when the whole answer was handed to the kernel, or with `undefined` when the
   * client went away before, or was cut off.
   */
  onEnd(status: number | undefined): void;
}

/** Answers up to this size wait in the parser's cork buffer until it has read on (uWebSockets, 16 KiB). */
export const CORK_BUFFER_BYTES = 16 * 1024;

export function openExchange(res: HttpResponse, options: ExchangeOptions): Exchange {
  const { head, requestId } = options;
  let answered = false;
  let ended = false;
  let deadline: NodeJS.Timeout | undefined;
  const end = (status: number | undefined): void => {
    if (ended) return;
    ended = true;
    clearTimeout(deadline);
    options.onEnd(status);
  };
  // First of all: a response without this handler ends the process when its client aborts.
  res.onAborted(() => end(undefined));

  const reply = ({ status, contentType, body, headers }: Reply): void => {
    if (answered || ended) return;
    answered = true;
    const mustClose = options.mustClose();
    // A framing fault's answer must close at once (see `refuseFraming`), which only `end` does.
    const isLarge = body.length > CORK_BUFFER_BYTES && head.framingFault === undefined;
    let isTaken = true;
    res.cork(() => {
      res.writeStatus(STATUS_LINES[status] ?? `${status}`);
      res.writeHeader('x-request-id', requestId);
      for (const name in headers) res.writeHeader(name, headers[name] as string);
      res.writeHeader('content-type', contentType);
      if (head.method === 'HEAD' && !mustClose) {
        // RFC 9110 section 9.3.2: no content follows, or the next answer would be read as part of it. The
        // parser would wait for content of a length that it was told itself.
        res.writeHeader('content-length', `${Buffer.byteLength(body)}`);
        res.endWithoutBody();
      } else if (head.method === 'HEAD') {
        res.endWithoutBody(0, true);
      } else if (isLarge) {
        if (mustClose) res.writeHeader('connection', 'close');
        isTaken = sendLarge(res, typeof body === 'string' ? Buffer.from(body) : body, () => end(status));
      } else {
        res.end(body, mustClose);
      }
    });
    if (isTaken) end(status);
    // The client may have gone away while it was written: then nothing is kept for it.
    if (ended) return;
    options.onAnswerKept(Buffer.byteLength(body));
    deadline = setTimeout(() => res.close(), options.answerTimeoutMs).unref();
  };

  return {
    head,
    requestId,
    isOver: () => answered || ended,
    reply,
    problem: (problem, headers) => {
      const answer = problemReply(problem);
      // Here and nowhere else, so that no 503 is without it.
      reply({ ...answer, headers: { ...headers, ...(answer.status === 503 ? retryAfter() : {}) } });
    },
  };
}

/**
 * Hands an answer to the kernel as the client takes it, so that it counts as given only when all of it has left
 * this process: `end` would keep the rest where nobody sees it, and a drain would cut it off. `false`: it was not
 * taken at once; `done` is called when it is. A client that takes nothing is cut off by the parser after about ten
 * seconds, one that takes too little after `answerTimeoutMs`; both end as an abort. The parser offers no way to
 * close behind such an answer: the client was told to.
 */
function sendLarge(res: HttpResponse, bytes: Uint8Array, done: () => void): boolean {
  const start = res.getWriteOffset();
  const [, isWhole] = res.tryEnd(bytes, bytes.length);
  if (isWhole) return true;
  res.onWritable((offset) => {
    const [wentOut, isWholeNow] = res.tryEnd(bytes.subarray(offset - start), bytes.length);
    if (isWholeNow) done();
    return wentOut;
  });
  return false;
}
