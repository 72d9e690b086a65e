/**
 * Bodies, bounded three ways: each by its route's limit, each in time, and in memory all together, from their
 * first byte until they are read or, where the answer comes later, until it was given. The parser has none of
 * these bounds itself.
 */
import type { HttpResponse } from 'uWebSockets.js';
import type { Clock } from '../clock.ts';
import type { ServerExchange } from './server-exchange.ts';

export interface BodyBounds {
  readonly idleTimeoutMs: number;
  readonly timeoutMs: number;
  /**
   * Bytes of all bodies held at once, and of answers that their clients do not take. A batch under way counts
   * with its body's bytes and costs a few times as much.
   */
  readonly memoryBytes: number;
}

/**
 * Told of each whole body, in the same turn when it came with the head. `mayWait`: nothing stands behind it in what was
 * read from its connection.
 */
export type UseBody = (exchange: ServerExchange, body: Buffer, mayWait: boolean) => void;

export interface BodyReaderOptions {
  readonly clock: Clock;
  readonly bodyBounds: BodyBounds;
  isDraining(): boolean;
  endsSegment?(chunk: ArrayBuffer): boolean;
}

export interface BodyReader {
  /**
   * Has the body used once it is whole. The bytes are only valid until `use` returns; with `answeredLater` they are
   * the handler's to keep, and charged until the exchange ends. A body that is late or does not fit is answered
   * here, before anything of it is looked at.
   */
  read(exchange: ServerExchange, res: HttpResponse, answeredLater: boolean): void;
  /** From now on what is held for the exchange is its answer. Never refused: the work is done. */
  keepAnswer(exchange: ServerExchange, bytes: number): void;
  /** Nothing is held for the exchange any more: to be called when it ends. */
  release(exchange: ServerExchange): void;
  stop(): void;
}

interface Arriving {
  readonly startedAtMs: number;
  lastDataAtMs: number;
  /** Grows with what arrives, never by what was declared. */
  body: Buffer;
  used: number;
}

const EMPTY = Buffer.alloc(0);
const SWEEP_INTERVAL_MS = 100;
/** Room for a body at first. */
const FIRST_BODY_BYTES = 256 * 1024;

/** `fail` answers an exchange whose body could not be kept. */
export function createBodyReader(
  options: BodyReaderOptions,
  use: UseBody,
  fail: (exchange: ServerExchange, error: unknown) => void,
): BodyReader {
  const { clock, bodyBounds: bounds, isDraining } = options;
  const endsSegment = options.endsSegment ?? (() => false);
  const arrivals = new Map<ServerExchange, Arriving>();
  /** Of all exchanges; each knows its own share. */
  let heldBytes = 0;

  const release = (exchange: ServerExchange): void => {
    heldBytes -= exchange.heldBytes;
    exchange.heldBytes = 0;
    if (arrivals.size > 0) arrivals.delete(exchange);
  };
  const hold = (exchange: ServerExchange, bytes: number): void => {
    exchange.heldBytes += bytes;
    heldBytes += bytes;
  };
  /** Refuses the exchange, which releases it, when so many bytes more do not fit. */
  const fits = (exchange: ServerExchange, bytes: number): boolean => {
    if (heldBytes + bytes <= bounds.memoryBytes) return true;
    exchange.problem({ type: 'overloaded', detail: 'too many bodies are held' });
    return false;
  };

  const sweep = setInterval(() => {
    // A drain has its own end, and what arrives within it is answered.
    if (arrivals.size === 0 || isDraining()) return;
    const now = clock.monotonicMs();
    for (const [exchange, { lastDataAtMs, startedAtMs }] of arrivals) {
      if (now - lastDataAtMs > bounds.idleTimeoutMs || now - startedAtMs > bounds.timeoutMs) {
        exchange.problem({ type: 'body-timeout', detail: 'the body did not arrive in time' });
      }
    }
  }, SWEEP_INTERVAL_MS);
  sweep.unref();

  /** Keeps a piece; the whole body when it was the last. */
  const keep = (exchange: ServerExchange, chunk: Buffer, isLast: boolean): Buffer | undefined => {
    const now = clock.monotonicMs();
    hold(exchange, chunk.length);
    const arriving = arrivals.get(exchange) ?? {
      startedAtMs: now,
      lastDataAtMs: now,
      body: Buffer.allocUnsafeSlow(Math.min(exchange.contentLength, FIRST_BODY_BYTES)),
      used: 0,
    };
    arrivals.set(exchange, arriving);
    arriving.lastDataAtMs = now;
    // The parser takes its buffer back after this call, so what is kept must be a copy.
    if (arriving.used + chunk.length > arriving.body.length) {
      const room = Math.min(exchange.contentLength, 2 * (arriving.used + chunk.length));
      const larger = Buffer.allocUnsafeSlow(Math.max(room, arriving.used + chunk.length));
      arriving.body.copy(larger, 0, 0, arriving.used);
      arriving.body = larger;
    }
    arriving.body.set(chunk, arriving.used);
    arriving.used += chunk.length;
    if (!isLast) return undefined;
    arrivals.delete(exchange);
    return arriving.body.subarray(0, arriving.used);
  };

  const take = (
    exchange: ServerExchange,
    data: ArrayBuffer,
    isLast: boolean,
    answeredLater: boolean,
  ): void => {
    if (exchange.isOver()) return;
    const chunk = data.byteLength === 0 ? EMPTY : Buffer.from(data);
    const isWhole = isLast && !exchange.hasBody;
    exchange.hasBody = true;
    // The common case, a single call whose head and body came in one segment: no copy, no bookkeeping.
    if (isWhole && !answeredLater) {
      use(exchange, chunk, endsSegment(data));
      return;
    }
    if (!fits(exchange, chunk.length)) return;
    const whole = keep(exchange, chunk, isLast);
    if (whole === undefined) return;
    if (!answeredLater) release(exchange);
    use(exchange, whole, endsSegment(data));
  };

  return {
    read: (exchange, res, answeredLater) => {
      // The parser says nothing of an empty body behind a head that came in pieces: nobody would be answered.
      if (exchange.contentLength === 0) {
        use(exchange, EMPTY, false);
        return;
      }
      res.onData((data, isLast) => {
        try {
          take(exchange, data, isLast, answeredLater);
        } catch (error) {
          // Nothing may be thrown into the parser.
          fail(exchange, error);
        }
      });
    },
    keepAnswer: (exchange, bytes) => {
      release(exchange);
      hold(exchange, bytes);
    },
    release,
    stop: () => clearInterval(sweep),
  };
}
