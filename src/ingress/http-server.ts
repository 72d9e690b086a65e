/**
 * Routes on a uWebSockets.js app, with everything that must hold for each of them: the framing guard, one
 * request id, bounded bodies, problem documents, and an error boundary, since a handler that throws into the
 * parser ends the process.
 */
import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import type { Clock } from '../clock.ts';
import type { Admission, Lane } from './admission/admission.ts';
import { createRefusals, type Refused } from './admission/refusals.ts';
import { CORK_BUFFER_BYTES, type Exchange, type ExchangeHost, ServerExchange } from './exchange.ts';
import { mediaType } from './media-type.ts';
import { type Problem, problemReply } from './problem.ts';
import { type BodyBounds, createBodyReader } from './read-body.ts';
import { type RequestHead, readHead } from './request-head.ts';
import { createRequestIds } from './request-id.ts';

export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Stands for the path in metrics. */
  readonly name: string;
  /** How its calls are admitted; absent: all are. */
  readonly lane?: Lane;
  /** Required on POST. */
  readonly body?: {
    readonly maxBytes: number;
    readonly mediaTypes: readonly string[];
    /** A call without a body needs no content type either. */
    readonly optional?: boolean;
    /** The handler answers in a later turn: what it was given stays in memory until then. */
    readonly answeredLater?: boolean;
  };
  /**
   * Answers the exchange, now or later. `body` is only valid until the handler first awaits; `type` is the
   * body's media type, one of `mediaTypes`. With `mayWait` nothing stands behind the request in what was read from its
   * connection, so the answer may come in a later turn without harm to a pipelined request.
   */
  handle(exchange: Exchange, body: Buffer, type: string, mayWait: boolean): void | Promise<void>;
}

export interface ServerOptions {
  readonly routes: readonly Route[];
  readonly clock: Clock;
  readonly bodyBounds: BodyBounds;
  /** An answer that its client has not taken after so long is cut off, with its connection. */
  readonly answerTimeoutMs: number;
  /** While true every answer closes its connection, so that clients move on. */
  isDraining(): boolean;
  /** Sheds what is beyond capacity, before anything of its body is read. */
  readonly admission?: Admission;
  /** So many refusals of it wait to be given. */
  onRefusalsWaiting?(count: number): void;
  /** May refuse a caller before anything of the body is read. */
  authorize?(head: RequestHead): Problem | undefined;
  /** Whether nothing was read behind this chunk of a body; "no" is always a safe answer. */
  endsSegment?(chunk: ArrayBuffer): boolean;
  observe: RequestObserver;
  onUnexpectedError(error: unknown): void;
}

export interface RequestObserver {
  /** The number by which a route is counted; `none` is the name for requests that found no route. */
  routeOf(name: string): number;
  /** A request's head was read, at this monotonic time. */
  begin(route: number, nowMs: number): void;
  /** It was answered with `status`, or its client went away (`undefined`). */
  end(route: number, status: number | undefined, seconds: number): void;
}

/**
 * An answer given before its body was read leaves the rest of the body to be read and dropped, which lets the
 * client see the answer. Beyond this size the connection is closed instead.
 */
const MAX_DROPPED_BODY_BYTES = 32 * 1024 * 1024;

/** Mounts the routes; everything else is answered 404 or 405. Returns what must be stopped with the app. */
export function mountRoutes(app: TemplatedApp, options: ServerOptions): { stop(): void } {
  const { clock, observe, admission } = options;
  const requestIdFor = createRequestIds();
  const noRoute = observe.routeOf('none');
  const bodies = createBodyReader(options);
  const batchRoute = options.routes
    .filter(({ lane }) => lane === 'batch')
    .map(({ name }) => observe.routeOf(name))[0];
  const ended = ({ route, startedAtMs }: ServerExchange | Refused, status: number | undefined): void =>
    observe.end(route, status, (clock.monotonicMs() - startedAtMs) / 1000);
  const refusals = createRefusals({
    monotonicMs: clock.monotonicMs,
    random: Math.random,
    isDraining: options.isDraining,
    onEnd: ended,
    onWaiting: (count) => options.onRefusalsWaiting?.(count),
  });
  const host: ExchangeHost = {
    answerTimeoutMs: options.answerTimeoutMs,
    isDraining: options.isDraining,
    onAnswerKept: bodies.keepAnswer,
    onEnd: (exchange, status) => {
      bodies.release(exchange);
      if (exchange.route === batchRoute) admission?.batches.leave(exchange);
      ended(exchange, status);
    },
  };

  const accept = (res: HttpResponse, req: HttpRequest, found: FoundRoutes): void => {
    const startedAtMs = clock.monotonicMs();
    const head = readHead(req);
    // RFC 9110 section 9.3.2: HEAD is GET, answered without its content.
    const method = head.method === 'HEAD' ? 'GET' : head.method;
    const route = method === 'POST' ? found.post : method === 'GET' ? found.get : undefined;
    const number = route === undefined ? noRoute : observe.routeOf(route.name);
    observe.begin(number, startedAtMs);
    const requestId = requestIdFor(head.requestId);
    const { contentLength } = head;
    if (admission !== undefined && route?.lane !== undefined && head.framingFault === undefined) {
      const why = admission.judge(route.lane, res, contentLength, startedAtMs);
      if (why !== undefined) {
        const closes = contentLength > MAX_DROPPED_BODY_BYTES;
        const refused: Refused = { res, requestId, route: number, startedAtMs, contentLength, closes };
        refusals.refuse(refused, admission.refusalMs(contentLength));
        return;
      }
    }
    const exchange = new ServerExchange(res, host, { head, requestId, route: number, startedAtMs });
    if (head.framingFault !== undefined) {
      refuseFraming(exchange, head.framingFault);
      return;
    }
    guarded(exchange, options, () => {
      const refusal = refuse(head, found.all, route, options);
      if (refusal !== undefined) {
        exchange.closesBehind = contentLength > MAX_DROPPED_BODY_BYTES;
        exchange.problem(refusal.problem, refusal.headers);
      } else if (route?.method === 'POST') {
        const type = mediaType(head.contentType) ?? '';
        const answeredLater = route.body?.answeredLater === true;
        if (route.lane === 'batch') admission?.batches.admit(exchange, contentLength);
        bodies.read(exchange, res, answeredLater, (body, mayWait) =>
          guarded(exchange, options, () => route.handle(exchange, body, type, mayWait)),
        );
      } else {
        return route?.handle(exchange, NO_BODY, '', false);
      }
    });
  };

  for (const path of new Set(options.routes.map((route) => route.path))) {
    const found = routesAt(options.routes.filter((route) => route.path === path));
    app.any(path, (res, req) => accept(res, req, found));
  }
  const nothing = routesAt([]);
  app.any('/*', (res, req) => accept(res, req, nothing));
  return {
    stop: () => {
      bodies.stop();
      refusals.stop();
    },
  };
}

/** What stands at one path. */
interface FoundRoutes {
  readonly all: readonly Route[];
  readonly post: Route | undefined;
  readonly get: Route | undefined;
}

function routesAt(all: readonly Route[]): FoundRoutes {
  const by = (method: Route['method']) => all.find((route) => route.method === method);
  return { all, post: by('POST'), get: by('GET') };
}

const NO_BODY = Buffer.alloc(0);

/**
 * Refuses a request of which nobody can say where it ends. The parser goes on with whatever stands behind it
 * in the same segment, for as long as the connection is open; an answer too large for the cork buffer is sent
 * at once, and its connection closed at once, before what was smuggled is looked at. So white space fills it.
 * To HEAD there is no content to fill: its answer waits a turn, since the parser closes a connection whose next
 * request comes while an answer is pending.
 */
function refuseFraming(exchange: Exchange, fault: string): void {
  const { status, contentType, body } = problemReply({ type: 'bad-framing', detail: fault });
  const answer = (): void =>
    exchange.reply({ status, contentType, body: body.padEnd(CORK_BUFFER_BYTES + 1) });
  if (exchange.head.method === 'HEAD') setImmediate(answer);
  else answer();
}

interface Refusal {
  readonly problem: Problem;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Everything that can be refused on the head alone, cheapest and most basic first. */
function refuse(
  head: RequestHead,
  routes: readonly Route[],
  route: Route | undefined,
  options: ServerOptions,
): Refusal | undefined {
  if (routes.length === 0) return { problem: { type: 'not-found', detail: 'there is nothing at this path' } };
  if (route === undefined) {
    const allow = routes.map(({ method }) => (method === 'GET' ? 'GET, HEAD' : method)).join(', ');
    return { problem: { type: 'method-not-allowed', detail: `allowed: ${allow}` }, headers: { allow } };
  }
  const refusedCaller = options.authorize?.(head);
  if (refusedCaller !== undefined) {
    const challenge =
      refusedCaller.type === 'unauthorized' ? { headers: { 'www-authenticate': 'Bearer' } } : {};
    return { problem: refusedCaller, ...challenge };
  }
  return route.body === undefined ? undefined : refuseBody(head, route.body);
}

function refuseBody(
  head: RequestHead,
  { maxBytes, mediaTypes, optional }: NonNullable<Route['body']>,
): Refusal | undefined {
  if (optional === true && head.contentLength === 0) return undefined;
  if (head.contentEncoding !== undefined) {
    return { problem: { type: 'unsupported-content-encoding', detail: 'send the body as it is' } };
  }
  const type = mediaType(head.contentType);
  if (type === undefined || !mediaTypes.includes(type)) {
    const detail = `supported: ${mediaTypes.join(', ')} (UTF-8)`;
    return {
      problem: { type: 'unsupported-media-type', detail },
      headers: { accept: mediaTypes.join(', ') },
    };
  }
  if (head.contentLength > maxBytes) {
    return { problem: { type: 'body-too-large', detail: `at most ${maxBytes} bytes` } };
  }
  return undefined;
}

/** Runs a handler; whatever it throws, now or later, becomes a 500 and a log line, and nothing else breaks. */
function guarded(exchange: Exchange, options: ServerOptions, run: () => void | Promise<void>): void {
  const fail = (error: unknown): void => {
    options.onUnexpectedError(error);
    exchange.problem({
      type: 'internal-error',
      detail: 'the request was not answered; nothing is known of it',
    });
  };
  try {
    run()?.catch(fail);
  } catch (error) {
    fail(error);
  }
}
