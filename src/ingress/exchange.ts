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
  /** Whether the connection must close behind the answer; asked when the answer is written. */
  mustClose(): boolean;
  /** Called once: with the status sent, or `undefined` when the client went away first. */
  onEnd(status: number | undefined): void;
}

export function openExchange(res: HttpResponse, options: ExchangeOptions): Exchange {
  const { head, requestId } = options;
  let over = false;
  // First of all: a response without this handler ends the process when its client aborts.
  res.onAborted(() => {
    if (over) return;
    over = true;
    options.onEnd(undefined);
  });

  const reply = ({ status, contentType, body, headers }: Reply): void => {
    if (over) return;
    over = true;
    res.cork(() => {
      res.writeStatus(STATUS_LINES[status] ?? `${status}`);
      res.writeHeader('x-request-id', requestId);
      for (const name in headers) res.writeHeader(name, headers[name] as string);
      res.writeHeader('content-type', contentType);
      if (head.method === 'HEAD' && !options.mustClose()) {
        // RFC 9110 section 9.3.2: no content follows, or the next answer would be read as part of it. The
        // parser would wait for content of a length that it was told itself.
        res.writeHeader('content-length', `${Buffer.byteLength(body)}`);
        res.endWithoutBody();
      } else if (head.method === 'HEAD') {
        res.endWithoutBody(0, true);
      } else {
        res.end(body, options.mustClose());
      }
    });
    options.onEnd(status);
  };

  return {
    head,
    requestId,
    isOver: () => over,
    reply,
    problem: (problem, headers) => {
      const answer = problemReply(problem);
      // Here and nowhere else, so that no 503 is without it.
      reply({ ...answer, headers: { ...headers, ...(answer.status === 503 ? retryAfter() : {}) } });
    },
  };
}
