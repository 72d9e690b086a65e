/** A body that is taken as it arrives: its clock, which stands still while the client is made to wait. */
import type { HttpResponse } from 'uWebSockets.js';
import type { BodyFlow, BodySink } from './route.ts';
import type { ServerExchange } from './server-exchange.ts';

/** A body that is not yet whole, as its reader watches it. */
export interface Arriving {
  readonly res: HttpResponse;
  startedAtMs: number;
  lastDataAtMs: number;
  /** Since when its client is made to wait; `undefined` while it is not. */
  pausedAtMs: number | undefined;
  /** Since when the parser's own timeout of the connection runs, at least. */
  putBackAtMs: number;
}

/** One that is taken as it arrives. */
export interface Streaming extends Arriving {
  keptBytes: number;
  /** Charged instead of what is kept, while that is less. */
  reservedBytes: number;
  reservedAtMs: number;
}

export interface StreamHost {
  nowMs(): number;
  /** All there is for all exchanges. */
  readonly memoryBytes: number;
  /** Charges the exchange with so many bytes in all; false when they do not fit. */
  charge(exchange: ServerExchange, bytes: number): boolean;
  /** Answers 503. */
  refuse(exchange: ServerExchange): void;
  fail(exchange: ServerExchange, error: unknown): void;
}

/** What a sink is given, and the sink's side of the parser: `take` for what arrives. */
export interface StreamedBody {
  take(chunk: Buffer, isLast: boolean): void;
  fail(error: unknown): void;
}

export function streamBody(
  exchange: ServerExchange,
  arriving: Streaming,
  open: (flow: BodyFlow) => BodySink,
  host: StreamHost,
): StreamedBody {
  const { res } = arriving;
  const resume = (): void => {
    // After an answer or an abort the parser must not be touched; no answer is given to a client made to wait.
    if (arriving.pausedAtMs === undefined || exchange.isOver()) return;
    const now = host.nowMs();
    arriving.startedAtMs += now - arriving.pausedAtMs;
    arriving.lastDataAtMs = now;
    arriving.pausedAtMs = undefined;
    res.resume();
  };
  const fail = (error: unknown): void => {
    resume();
    host.fail(exchange, error);
  };
  const sink = open({
    hold: (bytes) => {
      if (exchange.isOver()) return false;
      arriving.keptBytes = bytes;
      if (host.charge(exchange, Math.max(bytes, arriving.reservedBytes))) return true;
      resume();
      host.refuse(exchange);
      return false;
    },
    reserve: (bytes) => {
      const wanted = Math.min(bytes, host.memoryBytes);
      if (exchange.isOver() || !host.charge(exchange, Math.max(wanted, arriving.keptBytes))) return false;
      arriving.reservedBytes = wanted;
      arriving.reservedAtMs = host.nowMs();
      return true;
    },
    pause: () => {
      if (arriving.pausedAtMs !== undefined || exchange.isOver()) return;
      arriving.pausedAtMs = host.nowMs();
      res.pause();
    },
    resume,
    fail,
  });
  return {
    fail,
    take: (chunk, isLast) => {
      if (exchange.isOver()) return;
      arriving.lastDataAtMs = host.nowMs();
      // What the kernel had came all the same, and nothing more is to come.
      if (isLast) resume();
      sink.take(chunk, isLast);
    },
  };
}
