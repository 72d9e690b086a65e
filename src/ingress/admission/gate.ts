/**
 * Admission as a listener has it: asked once for each request, on its head, and told when a request that was let in
 * has ended. What is refused here never becomes an exchange: its answer is made beforehand.
 *
 * The head is walked before, since only the framing guard can say whether a connection may be kept behind a refusal; a
 * doubtful frame gets its own answer and its connection closed, under overload too. Then comes the caller, whose own
 * quota is looked at before anything that all callers share.
 */
import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import type { KnownCaller } from '../../callers/caller-index.ts';
import type { AccessLog } from '../access-log.ts';
import type { CallerGuard, CallerRefusal } from '../caller-guard.ts';
import type { SeenRequest } from '../request-head.ts';
import { loggableId } from '../request-id.ts';
import type { ServedRoute, ServerExchange } from '../server-exchange.ts';
import type { Admission } from './admission.ts';
import type { ClientFinder } from './client.ts';
import { createRefusals, type NotedRefusal, type RefusalKind } from './refusals.ts';

export interface Gate {
  /** Whether the request is refused: then it is answered, or will be, and no exchange may be made of it. */
  refuses(
    res: HttpResponse,
    req: HttpRequest,
    served: ServedRoute,
    seen: SeenRequest,
    startedAtMs: number,
  ): boolean;
  /** The request that was just not refused. */
  enter(exchange: ServerExchange): void;
  /**
   * So many credentials were found in it. 0: its caller may have them; else it may not, and all of it could be asked again
   * after so many milliseconds.
   */
  spend(exchange: ServerExchange, credentials: number): number;
  /** It has ended, answered with `status` or not at all (`undefined`). */
  leave(exchange: ServerExchange, status: number | undefined): void;
  stop(): void;
}

export interface GateOptions {
  readonly admission: Admission;
  /** Absent where callers have no names. */
  readonly callers?: CallerGuard | undefined;
  readonly clients: ClientFinder;
  monotonicMs(): number;
  isDraining(): boolean;
  requestIdFor(sent: string | undefined): string;
  /** Lines for some of what is refused. */
  readonly accessLog?: AccessLog | undefined;
  /** What was refused was answered, or its client went away (`undefined`). */
  onEnd(route: number, status: number | undefined, seconds: number): void;
  /** So many refusals are held back. */
  onRefusalsWaiting(count: number): void;
}

const REFUSAL_OF: Readonly<Record<CallerRefusal, RefusalKind>> = {
  missing: 'unauthorized',
  unknown: 'unauthorized',
  expired: 'unauthorized',
  scope: 'forbidden',
  quota: 'quota-exceeded',
};

export function createGate(options: GateOptions): Gate {
  const { admission, callers, clients, monotonicMs, accessLog } = options;
  const refusals = createRefusals({
    monotonicMs,
    random: Math.random,
    isDraining: options.isDraining,
    onEnd: ({ shedItems, routeNumber, startedAtMs, contentLength: bodyBytes, noted }, status) => {
      admission.batches.refusalEnded(shedItems);
      const seconds = (monotonicMs() - startedAtMs) / 1000;
      options.onEnd(routeNumber, status, seconds);
      if (noted === undefined) return;
      const { head, route, requestId } = noted;
      accessLog?.write(head, { route, status, seconds, bodyBytes, requestId });
    },
    onWaiting: options.onRefusalsWaiting,
  });
  /** Of the request that was just let in: it becomes an exchange before another one is looked at. */
  let admitted: KnownCaller | undefined;
  let admittedFor = 0;

  const refuse = (
    kind: RefusalKind,
    retryAfterMs: number,
    res: HttpResponse,
    req: HttpRequest,
    { number, route }: ServedRoute,
    { contentLength, requestId: sent }: SeenRequest,
    startedAtMs: number,
  ): true => {
    const requestId = options.requestIdFor(sent);
    // Its answer may have to wait; the parser's request does not.
    const head = accessLog?.note(req, startedAtMs);
    const noted: NotedRefusal | undefined = head && {
      head,
      route: route?.name ?? 'none',
      requestId: loggableId(requestId, sent),
    };
    const isShedBatch = kind === 'overloaded' && route?.lane === 'batch';
    const refused = {
      kind,
      shedItems: isShedBatch ? admission.batches.estimateItems(contentLength) : 0,
      retryAfterMs,
      contentLength,
      startedAtMs,
      requestId,
      noted,
      routeNumber: number,
      costMs: admission.refusalMs(contentLength),
    };
    refusals.refuse(res, refused);
    return true;
  };

  return {
    refuses: (res, req, served, seen, startedAtMs) => {
      const { route } = served;
      const { head, contentLength } = seen;
      admitted = undefined;
      admittedFor = 0;
      if (route?.lane === undefined || head.framingFault !== undefined) return false;
      if (callers !== undefined && route.scope !== undefined) {
        const judged = callers.judge(seen, route.scope, route.lane);
        if (!judged.ok) {
          const { why, retryAfterMs, caller } = judged;
          admission.turnedAway(route.lane, clients.find(res, caller));
          refuse(REFUSAL_OF[why], retryAfterMs, res, req, served, seen, startedAtMs);
          admission.turnAwayTook(monotonicMs() - startedAtMs);
          return true;
        }
        admitted = judged.caller;
        admittedFor = judged.charged;
      }
      const client = clients.find(res, admitted);
      if (admission.judge(route.lane, client, contentLength, startedAtMs) === undefined) return false;
      if (admitted !== undefined) callers?.giveBack(admitted, admittedFor);
      return refuse('overloaded', 0, res, req, served, seen, startedAtMs);
    },
    enter: (exchange) => {
      if (exchange.served.route?.lane === 'batch') admission.batches.admit(exchange, exchange.contentLength);
      exchange.caller = admitted;
      exchange.charged = admittedFor;
    },
    spend: (exchange, credentials) => {
      const { caller, charged } = exchange;
      if (caller === undefined || callers === undefined || credentials <= charged) return 0;
      const waitMs = callers.spend(caller, charged, credentials);
      if (waitMs === 0) exchange.charged = credentials;
      return waitMs;
    },
    leave: (exchange, status) => {
      const { caller, charged, credentials, contentLength } = exchange;
      const isBatch = exchange.served.route?.lane === 'batch';
      if (isBatch) admission.batches.leave(exchange);
      if (caller === undefined || callers === undefined) return;
      // Shed after all, before anything of it was looked at.
      if (status === 503 && credentials === 0) {
        callers.giveBack(caller, charged);
        return;
      }
      // One that ended where its caller's bucket did holds more than was taken for it: the next one is known by it.
      const isOverQuota = status === 429 && credentials > 0 && credentials >= charged;
      const batchBytes = isBatch && (status === 200 || isOverQuota) ? contentLength : undefined;
      callers.served(caller, { charged, credentials, batchBytes });
    },
    stop: () => {
      refusals.stop();
      admission.stop();
    },
  };
}
