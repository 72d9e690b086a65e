/**
 * One request and its one answer. The parser's `res` is a trap for the unwary: touching it after an abort
 * throws, and leaving it unanswered wedges the connection; so all replies go through here, where the second
 * answer and the answer to nobody are harmless.
 */
import type { HttpResponse } from 'uWebSockets.js';
import type { KnownCaller } from '../callers/caller-index.ts';
import type { Noted } from './access-log.ts';
import type { AnswerHeads } from './answer-head.ts';
import type { Exchange, Reply } from './exchange.ts';
import { type Problem, problemReply } from './problem.ts';
import type { RequestHead, SeenRequest } from './request-head.ts';
import { loggableId } from './request-id.ts';
import { retryAfter } from './retry-after.ts';
import type { Route } from './route.ts';
import { STATUS_LINES } from './status-lines.ts';

/** What all exchanges of a server have in common. */
export interface ExchangeHost {
  /** An answer that its client has not taken after so long is cut off, with its connection. */
  readonly answerTimeoutMs: number;
  /** While true every answer closes its connection. */
  isDraining(): boolean;
  /** The id of a request that came with this one. */
  requestIdFor(sent: string | undefined): string;
  readonly answerHeads: AnswerHeads;
  /** What its caller's quota says of so many credentials (`Exchange.spend`). */
  onSpend(exchange: ServerExchange, credentials: number): number;
  /** The client did not take the answer at once: so many bytes are kept for it until the exchange ends. */
  onAnswerKept(exchange: ServerExchange, bytes: number): void;
  /**
   * Called once: with the status when the whole answer was handed to the kernel, or with `undefined` when the
   * client went away before, or was cut off.
   */
  onEnd(exchange: ServerExchange, status: number | undefined): void;
}

/** Answers up to this size wait in the parser's cork buffer until it has read on (uWebSockets, 16 KiB). */
export const CORK_BUFFER_BYTES = 16 * 1024;

const NO_HEADERS = {};
const NO_BYTES: Uint8Array = new Uint8Array(0);

/** What answers at a path, as the server counts it; without a `route` nothing does. */
export interface ServedRoute {
  readonly route: Route | undefined;
  readonly number: number;
}

/** The ordinary answer that is being written: there is one at a time, for the parser calls back before `cork` returns. */
const writing = {
  res: undefined as unknown as HttpResponse,
  head: new ArrayBuffer(0),
  body: NO_BYTES,
  mustClose: false,
};

function writeOrdinary(): void {
  const { res, head, body, mustClose } = writing;
  res.writeStatus(head);
  res.end(body, mustClose);
}

/** A class, since there is one a request: its methods are made once, where closures would be made for each. */
export class ServerExchange implements Exchange {
  readonly head: RequestHead;
  /** Bytes of body that were announced. */
  readonly contentLength: number;
  readonly served: ServedRoute;
  readonly startedAtMs: number;
  /** Whether the connection must close behind the answer, whatever the server does. */
  closesBehind = false;
  /** Bytes that the server keeps in memory for it. */
  heldBytes = 0;
  caller: KnownCaller | undefined = undefined;
  credentials = 0;
  /** What was taken from the caller's bucket for it so far. */
  charged = 0;
  /** What the access log wants of it, if it is one to be logged. */
  noted: Noted | undefined = undefined;
  private answered = false;
  private ended = false;
  private isPaused = false;
  private deadline: NodeJS.Timeout | undefined = undefined;
  private knownId: string | undefined = undefined;
  /** By which its id is known, if it was answered by a head made beforehand; else 0. */
  private headNumber = 0;

  private readonly sentId: string | undefined;
  private readonly res: HttpResponse;
  private readonly host: ExchangeHost;

  constructor(
    res: HttpResponse,
    host: ExchangeHost,
    served: ServedRoute,
    { head, contentLength, requestId }: SeenRequest,
    startedAtMs: number,
  ) {
    this.res = res;
    this.host = host;
    this.head = head;
    this.contentLength = contentLength;
    this.sentId = requestId;
    this.served = served;
    this.startedAtMs = startedAtMs;
    // First of all: a response without this handler ends the process when its client aborts.
    res.onAborted(() => this.end(undefined));
  }

  get requestId(): string {
    this.knownId ??=
      this.headNumber > 0 ? this.host.answerHeads.idOf(this.headNumber) : this.host.requestIdFor(this.sentId);
    return this.knownId;
  }

  get loggableId(): string | undefined {
    return loggableId(this.requestId, this.sentId);
  }

  spend(credentials: number): number {
    return this.host.onSpend(this, credentials);
  }

  isOver(): boolean {
    return this.answered || this.ended;
  }

  isDone(): boolean {
    return this.ended;
  }

  waitElsewhere(): void {
    if (this.isOver() || this.isPaused) return;
    this.isPaused = true;
    this.res.pause();
  }

  replyJson(body: Uint8Array): void {
    if (this.isOver()) return;
    if (this.isOrdinary() && body.length <= CORK_BUFFER_BYTES) this.sendOrdinary(body);
    else this.send(200, 'application/json', body, NO_HEADERS);
  }

  reply({ status, contentType, body, headers = NO_HEADERS }: Reply): void {
    this.send(status, contentType, body, headers);
  }

  problem(problem: Problem, headers?: Readonly<Record<string, string>>): void {
    const { status, contentType, body } = problemReply(problem);
    // Here and nowhere else, so that no 503 is without it.
    this.send(status, contentType, body, { ...headers, ...(status === 503 ? retryAfter() : {}) });
  }

  /** Whether the connection closes behind the answer. */
  private mustClose(): boolean {
    return this.closesBehind || this.head.framingFault !== undefined || this.host.isDraining();
  }

  /** Whether nothing is to be said or seen to but the answer itself, under an id that is made for it. */
  private isOrdinary(): boolean {
    const { sentId, knownId, isPaused, head } = this;
    const isNamed = sentId !== undefined || knownId !== undefined;
    return !isNamed && !isPaused && head.framingFault === undefined && head.method !== 'HEAD';
  }

  /** What `send` does, without a closure and without text: it is most of what there is to be done. */
  private sendOrdinary(body: Uint8Array): void {
    this.answered = true;
    this.headNumber = this.host.answerHeads.next();
    writing.res = this.res;
    writing.head = this.host.answerHeads.bytes;
    writing.body = body;
    writing.mustClose = this.mustClose();
    this.res.cork(writeOrdinary);
    this.end(200);
  }

  private send(
    status: number,
    contentType: string,
    body: string | Uint8Array,
    headers: Readonly<Record<string, string>>,
  ): void {
    if (this.isOver()) return;
    this.answered = true;
    const { res, head } = this;
    const mustClose = this.mustClose();
    // A framing fault's answer must close at once (see `answerAndCut`), which only `end` does.
    const isLarge = body.length > CORK_BUFFER_BYTES && head.framingFault === undefined;
    let isTaken = true;
    res.cork(() => {
      // Before the answer: behind one that closes the connection there is nothing to be resumed.
      if (this.isPaused) res.resume();
      // The parser writes the status line as it is told, so what every answer has goes with it, in one call.
      res.writeStatus(
        `${STATUS_LINES[status] ?? status}\r\ncontent-type: ${contentType}\r\nx-request-id: ${this.requestId}`,
      );
      if (headers !== NO_HEADERS) for (const name in headers) res.writeHeader(name, headers[name] as string);
      if (isLarge && head.method !== 'HEAD') {
        if (mustClose) res.writeHeader('connection', 'close');
        isTaken = sendLarge(res, body, () => this.end(status));
      } else if (head.method === 'HEAD') {
        endWithoutContent(res, body, mustClose);
      } else {
        res.end(body, mustClose);
      }
    });
    if (isTaken) this.end(status);
    // The client may have gone away while it was written: then nothing is kept for it.
    if (this.ended) return;
    this.host.onAnswerKept(this, Buffer.byteLength(body));
    this.deadline = setTimeout(() => res.close(), this.host.answerTimeoutMs).unref();
  }

  private end(status: number | undefined): void {
    if (this.ended) return;
    this.ended = true;
    if (this.deadline !== undefined) clearTimeout(this.deadline);
    this.host.onEnd(this, status);
  }
}

/**
 * RFC 9110 section 9.3.2: no content follows, or the next answer would be read as part of it. The parser would wait
 * for content of a length that it was told itself.
 */
function endWithoutContent(res: HttpResponse, body: string | Uint8Array, mustClose: boolean): void {
  if (mustClose) {
    res.endWithoutBody(0, true);
    return;
  }
  res.writeHeader('content-length', `${Buffer.byteLength(body)}`);
  res.endWithoutBody();
}

/**
 * Hands an answer to the kernel as the client takes it, so that it counts as given only when all of it has left
 * this process: `end` would keep the rest where nobody sees it, and a drain would cut it off. `false`: it was not
 * taken at once; `done` is called when it is. A client that takes nothing is cut off by the parser after about ten
 * seconds, one that takes too little after `answerTimeoutMs`; both end as an abort. The parser offers no way to
 * close behind such an answer: the client was told to.
 */
function sendLarge(res: HttpResponse, body: string | Uint8Array, done: () => void): boolean {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
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
