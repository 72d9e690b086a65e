/**
 * Routes on a uWebSockets.js app, with everything that must hold for each of them: the framing guard, one
 * request id, bounded bodies, problem documents, and an error boundary, since a handler that throws into the
 * parser ends the process.
 */
import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import type { Clock } from '../clock.ts';
import { DROPPED_BODY_BYTES } from '../config.ts';
import { loadNativeAddon, type NativeAddon } from '../native/addon.ts';
import type { AccessLog } from './access-log.ts';
import type { Gate } from './admission/gate.ts';
import { createAnswerHeads } from './answer-head.ts';
import type { CallerCertificates } from './caller-certificates.ts';
import type { Exchange } from './exchange.ts';
import { createStrictHeadReader, type HeadReader } from './head-reader.ts';
import { type Authorize, refusedByHead } from './head-refusals.ts';
import { mediaType } from './media-type.ts';
import { judgeParser, type ParserBuild } from './parser-build.ts';
import { type Problem, problemReply, UNANSWERED } from './problem.ts';
import { type BodyBounds, createBodyReader } from './read-body.ts';
import type { SeenRequest } from './request-head.ts';
import { createRequestIds } from './request-id.ts';
import type { Behind, BodyLanding, Route } from './route.ts';
import { CORK_BUFFER_BYTES, type ExchangeHost, type ServedRoute, ServerExchange } from './server-exchange.ts';

export interface ServerOptions {
  readonly routes: readonly Route[];
  readonly clock: Clock;
  readonly bodyBounds: BodyBounds;
  /** An answer that its client has not taken after so long is cut off, with its connection. */
  readonly answerTimeoutMs: number;
  /** While true every answer closes its connection, so that clients move on. */
  isDraining(): boolean;
  /** How heads are read, if not by the strict reader alone. */
  readonly heads?: HeadReader;
  /** As it was judged before, if it was. */
  readonly parser?: ParserBuild;
  /** Refuses callers, and what is beyond their quotas and beyond capacity, before anything of a body is read. */
  readonly gate?: Gate;
  /** Where whoever connects must show a certificate. */
  readonly certificates?: CallerCertificates;
  /** May refuse a caller before anything of the body is read. */
  readonly authorize?: Authorize;
  /** What was read behind this chunk of a body; without it nobody can tell. */
  standsBehind?(chunk: ArrayBuffer): Behind;
  observe: RequestObserver;
  /** Lines for some requests, or for none; what the gate refuses has its own, since it is dropped by the thousand. */
  readonly accessLog?: AccessLog | undefined;
  /** `requestId`: of the request that failed, where it may be logged. */
  onUnexpectedError(error: unknown, requestId: string | undefined): void;
}

export interface RequestObserver {
  /** The number by which a route is counted; `none` is the name for requests that found no route. */
  routeOf(name: string): number;
  /** A request's head was read, at this monotonic time. */
  begin(route: number, nowMs: number): void;
  /** It was answered with `status`, or its client went away (`undefined`). */
  end(route: number, status: number | undefined, seconds: number): void;
}

/** Mounts the routes; everything else is answered 404 or 405. Returns what must be stopped with the app. */
export function mountRoutes(app: TemplatedApp, options: ServerOptions): { stop(): void } {
  const { clock, observe, gate, accessLog } = options;
  const heads = options.heads ?? createStrictHeadReader(headsAddon(options.parser));
  const handle = (exchange: ServerExchange, body: Buffer, behind: Behind): void =>
    guarded(exchange, options, body, behind);
  const bodies = createBodyReader(options, handle, (exchange, error) => fail(exchange, options, error));
  const host: ExchangeHost = {
    answerTimeoutMs: options.answerTimeoutMs,
    isDraining: options.isDraining,
    requestIdFor: createRequestIds(),
    answerHeads: createAnswerHeads(),
    onSpend: (exchange, credentials) => gate?.spend(exchange, credentials) ?? 0,
    onAnswerKept: bodies.keepAnswer,
    onEnd: (exchange, status) => {
      bodies.release(exchange);
      gate?.leave(exchange, status);
      const seconds = (clock.monotonicMs() - exchange.startedAtMs) / 1000;
      observe.end(exchange.served.number, status, seconds);
      if (exchange.noted !== undefined) {
        const { served, loggableId: requestId, contentLength: bodyBytes } = exchange;
        const route = served.route?.name ?? 'none';
        accessLog?.write(exchange.noted, { route, status, seconds, bodyBytes, requestId });
      }
    },
  };

  /** Whether it was answered, or will be, before it became an exchange that handlers see. */
  const turnsAway = (
    res: HttpResponse,
    req: HttpRequest,
    served: ServedRoute,
    seen: SeenRequest,
    startedAtMs: number,
  ): boolean => {
    // Before anything else that a stranger could have looked at; the parser knows of none that it did not check.
    const stranger = options.certificates?.fault(res);
    if (stranger === undefined) return gate?.refuses(res, req, served, seen, startedAtMs) === true;
    const refused = new ServerExchange(res, host, served, seen, startedAtMs);
    refused.closesBehind = true;
    refused.noted = accessLog?.note(req, startedAtMs);
    refused.problem(stranger);
    return true;
  };

  /** An exchange in its turn: what its head alone refuses, its body, its handler. */
  const proceed = (
    exchange: ServerExchange,
    res: HttpResponse,
    seen: SeenRequest,
    found: FoundRoutes,
  ): void => {
    if (seen.head.framingFault !== undefined) {
      answerAndCut(exchange, { type: 'bad-framing', detail: seen.head.framingFault });
      return;
    }
    const refusal = refusedByHead(exchange, seen, found.all, options.authorize);
    if (refusal !== undefined) {
      exchange.closesBehind = exchange.contentLength > DROPPED_BODY_BYTES;
      exchange.problem(refusal.problem, refusal.headers);
      return;
    }
    const { route } = exchange.served;
    if (route?.body === undefined) {
      handle(exchange, NO_BODY, 'unknown');
      return;
    }
    const { stream, landing } = route;
    if (landing !== undefined && seen.hasLanded) land(exchange, options, landing);
    else if (stream === undefined) bodies.read(exchange, res);
    else bodies.stream(exchange, res, (flow) => stream(exchange, typeOf(exchange), flow));
  };

  /** The boundary: whatever goes wrong in `accept` is answered with 500 and its connection closed, or that is cut off. */
  const accept = (res: HttpResponse, req: HttpRequest, found: FoundRoutes): void => {
    const startedAtMs = clock.monotonicMs();
    let seen = UNREAD;
    let served = found.none;
    let exchange: ServerExchange | undefined;
    try {
      seen = heads.read(req, found.post.route?.landing);
      // RFC 9110 section 9.3.2: HEAD is GET, answered without its content.
      const method = seen.head.method === 'HEAD' ? 'GET' : seen.head.method;
      served = method === 'POST' ? found.post : method === 'GET' ? found.get : found.none;
      observe.begin(served.number, startedAtMs);
      if (turnsAway(res, req, served, seen, startedAtMs)) return;
      exchange = new ServerExchange(res, host, served, seen, startedAtMs);
      if (accessLog !== undefined) exchange.noted = accessLog.note(req, startedAtMs);
      gate?.enter(exchange);
      proceed(exchange, res, seen, found);
    } catch (error) {
      try {
        // It will be counted as ended.
        if (seen === UNREAD) observe.begin(served.number, startedAtMs);
        exchange ??= new ServerExchange(res, host, served, seen, startedAtMs);
        failAndClose(exchange, options, error);
      } catch {
        // It was answered before, or there is no telling of it.
        cutOff(res);
      }
    }
  };

  for (const path of new Set(options.routes.map((route) => route.path))) {
    const found = routesAt(
      options.routes.filter((route) => route.path === path),
      observe,
    );
    app.any(path, (res, req) => accept(res, req, found));
  }
  const nothing = routesAt([], observe);
  app.any('/*', (res, req) => accept(res, req, nothing));
  return { stop: bodies.stop };
}

/** Native code that may look into the parser's requests, whatever engine judges signatures. */
function headsAddon(parser?: ParserBuild): NativeAddon | undefined {
  const loaded = loadNativeAddon();
  return loaded.ok && judgeParser(parser).layoutIsKnown ? loaded.addon : undefined;
}

/** What stands at one path. */
interface FoundRoutes {
  readonly all: readonly Route[];
  readonly post: ServedRoute;
  readonly get: ServedRoute;
  readonly none: ServedRoute;
}

function routesAt(all: readonly Route[], observe: RequestObserver): FoundRoutes {
  const none = { route: undefined, number: observe.routeOf('none') };
  const by = (method: Route['method']): ServedRoute => {
    const route = all.find((candidate) => candidate.method === method);
    return route === undefined ? none : { route: inOneShape(route), number: observe.routeOf(route.name) };
  };
  return { all, post: by('POST'), get: by('GET'), none };
}

/** With all that any route may have, in one order: what reads routes meets one shape, and need not look members up. */
function inOneShape(route: Route): Route {
  const { method, path, name, lane, scope, body, handle, landing, stream } = route;
  const whole: Record<keyof Route, unknown> = {
    method,
    path,
    name,
    lane,
    scope,
    body,
    handle,
    landing,
    stream,
  };
  return whole as unknown as Route;
}

const NO_BODY = Buffer.alloc(0);

/** Instead of a head that could not be read. */
const UNREAD: SeenRequest = {
  head: {
    method: '',
    contentType: undefined,
    contentEncoding: undefined,
    accept: undefined,
    idempotencyKey: undefined,
    host: undefined,
    origin: undefined,
    framingFault: 'the head was not read',
  },
  contentLength: 0,
  requestId: undefined,
  authorization: undefined,
  hasLanded: false,
};

/**
 * Answers a request of which nobody can say where it ends. The parser goes on with whatever stands behind it
 * in the same segment, for as long as the connection is open; an answer too large for the cork buffer is sent
 * at once, and its connection closed at once, before what was smuggled is looked at. So white space fills it.
 * To HEAD there is no content to fill: its answer waits a turn, since the parser closes a connection whose next
 * request comes while an answer is pending.
 */
function answerAndCut(exchange: Exchange, problem: Problem): void {
  const { status, contentType, body } = problemReply(problem);
  const answer = (): void =>
    exchange.reply({ status, contentType, body: body.padEnd(CORK_BUFFER_BYTES + 1) });
  if (exchange.head.method === 'HEAD') setImmediate(answer);
  else answer();
}

/** Of the body, as the route takes it; empty without one. */
function typeOf({ head }: ServerExchange): string {
  return mediaType(head.contentType) ?? '';
}

/** Runs the handler; whatever it throws, now or later, becomes a 500 and a log line, and nothing else breaks. */
function guarded(exchange: ServerExchange, options: ServerOptions, body: Buffer, behind: Behind): void {
  try {
    const later = exchange.served.route?.handle?.(exchange, body, typeOf(exchange), behind);
    later?.catch((error: unknown) => fail(exchange, options, error));
  } catch (error) {
    fail(exchange, options, error);
  }
}

/** The same for a body that has landed. */
function land(exchange: ServerExchange, options: ServerOptions, landing: BodyLanding): void {
  try {
    landing.take(exchange, typeOf(exchange));
  } catch (error) {
    fail(exchange, options, error);
  }
}

function fail(exchange: ServerExchange, options: ServerOptions, error: unknown): void {
  options.onUnexpectedError(error, exchange.loggableId);
  exchange.problem(UNANSWERED);
}

/** As `fail`, where nobody knows what else was left undone. */
function failAndClose(exchange: ServerExchange, options: ServerOptions, error: unknown): void {
  exchange.closesBehind = true;
  if (exchange.head.framingFault === undefined) {
    fail(exchange, options, error);
    return;
  }
  options.onUnexpectedError(error, exchange.loggableId);
  answerAndCut(exchange, UNANSWERED);
}

/** A response left as it is, unanswered and unwatched, would end the process. */
function cutOff(res: HttpResponse): void {
  try {
    res.close();
  } catch {
    // It was answered, or its client is gone.
  }
}
