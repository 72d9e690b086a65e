/**
 * Admission as a listener has it: asked once for each request, on its head, and told when a request that was let in
 * has ended. What is shed never becomes an exchange: its answer is made beforehand.
 *
 * The head is walked before, since only the framing guard can say whether a connection may be kept behind a refusal; a
 * doubtful frame gets its own answer and its connection closed, under overload too.
 */
import type { HttpResponse } from 'uWebSockets.js';
import type { SeenRequest } from '../request-head.ts';
import type { ServedRoute, ServerExchange } from '../server-exchange.ts';
import type { Admission } from './admission.ts';
import { createRefusals } from './refusals.ts';

export interface Gate {
  /** Whether the request is shed: then it is answered, or will be, and no exchange may be made of it. */
  sheds(res: HttpResponse, served: ServedRoute, seen: SeenRequest, startedAtMs: number): boolean;
  /** It was let in. */
  enter(exchange: ServerExchange): void;
  /** It has ended, answered or not. */
  leave(exchange: ServerExchange): void;
  stop(): void;
}

export interface GateOptions {
  readonly admission: Admission;
  monotonicMs(): number;
  isDraining(): boolean;
  requestIdFor(sent: string | undefined): string;
  /** What was shed was answered, or its client went away (`undefined`). */
  onEnd(route: number, status: number | undefined, seconds: number): void;
  /** So many refusals are held back. */
  onRefusalsWaiting(count: number): void;
}

export function createGate(options: GateOptions): Gate {
  const { admission, monotonicMs } = options;
  const refusals = createRefusals({
    monotonicMs,
    random: Math.random,
    isDraining: options.isDraining,
    onEnd: ({ routeNumber, startedAtMs }, status) =>
      options.onEnd(routeNumber, status, (monotonicMs() - startedAtMs) / 1000),
    onWaiting: options.onRefusalsWaiting,
  });
  return {
    sheds: (res, { route, number }, { head, contentLength, requestId }, startedAtMs) => {
      if (route?.lane === undefined || head.framingFault !== undefined) return false;
      const why = admission.judge(route.lane, res, contentLength, startedAtMs);
      if (why === undefined) return false;
      const shed = {
        requestId: options.requestIdFor(requestId),
        routeNumber: number,
        contentLength,
        startedAtMs,
      };
      refusals.refuse(res, shed, admission.refusalMs(contentLength));
      return true;
    },
    enter: (exchange) => {
      if (exchange.served.route?.lane === 'batch') admission.batches.admit(exchange, exchange.contentLength);
    },
    leave: (exchange) => {
      if (exchange.served.route?.lane === 'batch') admission.batches.leave(exchange);
    },
    stop: () => {
      refusals.stop();
      admission.stop();
    },
  };
}
