/**
 * Bodies, bounded three ways: each by its route's limit, each in time, and all unfinished ones together in
 * memory. The parser has none of these bounds itself.
 */
import type { HttpResponse } from 'uWebSockets.js';
import type { Clock } from '../clock.ts';
import type { Exchange } from './exchange.ts';

export interface BodyBounds {
  readonly idleTimeoutMs: number;
  readonly timeoutMs: number;
  /** Bytes of all bodies held at once. */
  readonly memoryBytes: number;
}

export interface BodyReader {
  /**
   * Calls `use` with the whole body, in the same turn when it came with the head. The bytes are only valid
   * until `use` returns. A body that is late or does not fit is answered here.
   */
  read(exchange: Exchange, res: HttpResponse, use: (body: Buffer) => void): void;
  stop(): void;
}

interface Pending {
  readonly exchange: Exchange;
  readonly startedAtMs: number;
  lastDataAtMs: number;
  readonly chunks: Buffer[];
  bytes: number;
}

const EMPTY = Buffer.alloc(0);
const SWEEP_INTERVAL_MS = 100;

export function createBodyReader(clock: Clock, bounds: BodyBounds, isDraining: () => boolean): BodyReader {
  const pending = new Set<Pending>();
  let heldBytes = 0;

  const forget = (body: Pending): void => {
    if (pending.delete(body)) heldBytes -= body.bytes;
    body.chunks.length = 0;
  };

  const sweep = setInterval(() => {
    // A drain has its own end, and what arrives within it is answered.
    if (pending.size === 0 || isDraining()) return;
    const now = clock.monotonicMs();
    for (const body of pending) {
      const late =
        now - body.lastDataAtMs > bounds.idleTimeoutMs || now - body.startedAtMs > bounds.timeoutMs;
      if (late) body.exchange.problem({ type: 'body-timeout', detail: 'the body did not arrive in time' });
      if (body.exchange.isOver()) forget(body);
    }
  }, SWEEP_INTERVAL_MS);
  sweep.unref();

  const keep = (body: Pending, chunk: Buffer): void => {
    body.lastDataAtMs = clock.monotonicMs();
    if (heldBytes + chunk.length > bounds.memoryBytes) {
      body.exchange.problem({ type: 'overloaded', detail: 'too many unfinished bodies' });
      forget(body);
      return;
    }
    // The parser takes its buffer back after this call, so what is kept must be a copy.
    body.chunks.push(Buffer.from(chunk));
    body.bytes += chunk.length;
    heldBytes += chunk.length;
  };

  return {
    read: (exchange, res, use) => {
      let body: Pending | undefined;
      res.onData((data, isLast) => {
        if (exchange.isOver()) {
          if (body !== undefined) forget(body);
          return;
        }
        const chunk = data.byteLength === 0 ? EMPTY : Buffer.from(data);
        // The common case, head and body in one segment: no copy, no bookkeeping.
        if (isLast && body === undefined) return use(chunk);
        if (body === undefined) {
          const now = clock.monotonicMs();
          body = { exchange, startedAtMs: now, lastDataAtMs: now, chunks: [], bytes: 0 };
          pending.add(body);
        }
        keep(body, chunk);
        if (!isLast || exchange.isOver()) return;
        const whole = Buffer.concat(body.chunks, body.bytes);
        forget(body);
        use(whole);
      });
    },
    stop: () => clearInterval(sweep),
  };
}
