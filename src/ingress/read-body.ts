/**
 * Bodies, bounded three ways: each by its route's limit, each in time, and in memory all together. They are read whole,
 * or taken by their handler as they arrive, which is charged with what it keeps until its answer was given. The parser
 * has none of these bounds itself.
 */
import type { HttpResponse } from 'uWebSockets.js';
import type { Clock } from '../clock.ts';
import type { Behind, BodyFlow, BodySink } from './route.ts';
import type { ServerExchange } from './server-exchange.ts';
import { type Arriving, type StreamHost, type Streaming, streamBody } from './stream-body.ts';

export interface BodyBounds {
  readonly idleTimeoutMs: number;
  readonly timeoutMs: number;
  /**
   * Bytes of all bodies held at once, of answers under way, and of those that their clients do not take. A batch counts with
   * what is not yet verified of its body and what there is of its answer, or with what was set aside for both.
   */
  readonly memoryBytes: number;
}

/** Told of each whole body, in the same turn when it came with the head, and of what was read behind it. */
export type UseBody = (exchange: ServerExchange, body: Buffer, behind: Behind) => void;

export interface BodyReaderOptions {
  readonly clock: Clock;
  readonly bodyBounds: BodyBounds;
  isDraining(): boolean;
  standsBehind?(chunk: ArrayBuffer): Behind;
}

export interface BodyReader {
  /**
   * Has the body used once it is whole; the bytes are only valid until `use` returns. A body that is late or does not
   * fit is answered here, before anything of it is looked at.
   */
  read(exchange: ServerExchange, res: HttpResponse): void;
  /** Has the body taken as it arrives. One that is late is answered here, and so is one whose sink keeps too much. */
  stream(exchange: ServerExchange, res: HttpResponse, open: (flow: BodyFlow) => BodySink): void;
  /** From now on what is held for the exchange is its answer. Never refused: the work is done. */
  keepAnswer(exchange: ServerExchange, bytes: number): void;
  /** Nothing is held for the exchange any more: to be called when it ends. */
  release(exchange: ServerExchange): void;
  stop(): void;
}

/** What there is of a body that is read whole. */
interface Kept extends Arriving {
  /** Grows with what arrives, never by what was declared. */
  body: Buffer;
  used: number;
}

const EMPTY = Buffer.alloc(0);

function refuse(exchange: ServerExchange): void {
  exchange.problem({ type: 'overloaded', detail: 'too many bodies are held' });
}

const SWEEP_INTERVAL_MS = 100;
/**
 * The parser closes a connection, without a word, of whose body less than 160 KiB came in about ten seconds, eight at the
 * least. A body that comes more slowly has it put back so often that our own bounds are what ends it.
 */
const PUT_BACK_MS = 500;
/** What is set aside for a body that does not come on is for others after so long, lest slow bodies hold all of it. */
const RESERVED_MS = 250;
/** Room for a body at first. */
const FIRST_BODY_BYTES = 256 * 1024;

/** `fail` answers an exchange whose body could not be kept. */
export function createBodyReader(
  options: BodyReaderOptions,
  use: UseBody,
  fail: (exchange: ServerExchange, error: unknown) => void,
): BodyReader {
  const { clock, bodyBounds: bounds, isDraining } = options;
  const standsBehind = options.standsBehind ?? (() => 'unknown');
  const arrivals = new Map<ServerExchange, Kept | Streaming>();
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
    refuse(exchange);
    return false;
  };
  const host: StreamHost = {
    nowMs: clock.monotonicMs,
    memoryBytes: bounds.memoryBytes,
    charge: (exchange, bytes) => {
      const more = bytes - exchange.heldBytes;
      if (more > 0 && heldBytes + more > bounds.memoryBytes) return false;
      hold(exchange, more);
      return true;
    },
    refuse,
    fail,
  };

  const sweep = setInterval(() => {
    if (arrivals.size === 0) return;
    const now = clock.monotonicMs();
    for (const [exchange, body] of arrivals) {
      const { lastDataAtMs, startedAtMs, pausedAtMs } = body;
      // It is not its client that is late.
      if (pausedAtMs !== undefined) continue;
      if (lastDataAtMs > body.putBackAtMs && now - body.putBackAtMs > PUT_BACK_MS) {
        body.putBackAtMs = now;
        // To resume what was not paused would stop it.
        body.res.pause();
        body.res.resume();
      }
      if ('reservedBytes' in body && now - body.reservedAtMs > RESERVED_MS) {
        body.reservedBytes = 0;
        host.charge(exchange, body.keptBytes);
      }
      // A drain has its own end, and what arrives within it is answered.
      if (isDraining()) continue;
      if (now - lastDataAtMs > bounds.idleTimeoutMs || now - startedAtMs > bounds.timeoutMs) {
        exchange.problem({ type: 'body-timeout', detail: 'the body did not arrive in time' });
      }
    }
  }, SWEEP_INTERVAL_MS);
  sweep.unref();

  const arrive = (res: HttpResponse): Arriving => {
    const now = clock.monotonicMs();
    return { res, startedAtMs: now, lastDataAtMs: now, pausedAtMs: undefined, putBackAtMs: now };
  };

  /** Keeps a piece; the whole body when it was the last. */
  const keep = (
    exchange: ServerExchange,
    res: HttpResponse,
    kept: Kept | undefined,
    chunk: Buffer,
    isLast: boolean,
  ): Kept => {
    hold(exchange, chunk.length);
    const arriving = kept ?? {
      ...arrive(res),
      body: Buffer.allocUnsafeSlow(Math.min(exchange.contentLength, FIRST_BODY_BYTES)),
      used: 0,
    };
    if (kept === undefined) arrivals.set(exchange, arriving);
    else arriving.lastDataAtMs = clock.monotonicMs();
    // The parser takes its buffer back after this call, so what is kept must be a copy.
    if (arriving.used + chunk.length > arriving.body.length) {
      const room = Math.min(exchange.contentLength, 2 * (arriving.used + chunk.length));
      const larger = Buffer.allocUnsafeSlow(Math.max(room, arriving.used + chunk.length));
      arriving.body.copy(larger, 0, 0, arriving.used);
      arriving.body = larger;
    }
    arriving.body.set(chunk, arriving.used);
    arriving.used += chunk.length;
    if (isLast) arrivals.delete(exchange);
    return arriving;
  };

  /** One piece of a body that is read whole; what is kept of it so far. */
  const take = (
    exchange: ServerExchange,
    res: HttpResponse,
    kept: Kept | undefined,
    data: ArrayBuffer,
    isLast: boolean,
  ): Kept | undefined => {
    if (exchange.isOver()) return undefined;
    const chunk = data.byteLength === 0 ? EMPTY : Buffer.from(data);
    // The common case, a single call whose head and body came in one segment: no copy, no bookkeeping.
    if (isLast && kept === undefined) {
      use(exchange, chunk, standsBehind(data));
      return undefined;
    }
    if (!fits(exchange, chunk.length)) return undefined;
    const now = keep(exchange, res, kept, chunk, isLast);
    if (!isLast) return now;
    release(exchange);
    // What looks like a request behind a piece that came by itself may be what somebody else sent, long before.
    const behind = standsBehind(data) === 'nothing' ? 'nothing' : 'unknown';
    use(exchange, now.body.subarray(0, now.used), behind);
    return undefined;
  };

  return {
    read: (exchange, res) => {
      // The parser says nothing of an empty body behind a head that came in pieces: nobody would be answered.
      if (exchange.contentLength === 0) {
        use(exchange, EMPTY, 'unknown');
        return;
      }
      let kept: Kept | undefined;
      res.onData((data, isLast) => {
        try {
          kept = take(exchange, res, kept, data, isLast);
        } catch (error) {
          // Nothing may be thrown into the parser.
          fail(exchange, error);
        }
      });
    },
    stream: (exchange, res, open) => {
      // What was announced is not charged, for it may never come.
      const arriving: Streaming = { ...arrive(res), keptBytes: 0, reservedBytes: 0, reservedAtMs: 0 };
      const body = streamBody(exchange, arriving, open, host);
      const take = (chunk: Buffer, isLast: boolean): void => {
        try {
          // Behind the last nothing is awaited any more, and what was set aside is for its answer.
          if (isLast) arrivals.delete(exchange);
          else if (!exchange.isOver()) arrivals.set(exchange, arriving);
          body.take(chunk, isLast);
        } catch (error) {
          body.fail(error);
        }
      };
      if (exchange.contentLength === 0) take(EMPTY, true);
      else res.onData((data, isLast) => take(data.byteLength === 0 ? EMPTY : Buffer.from(data), isLast));
    },
    keepAnswer: (exchange, bytes) => {
      release(exchange);
      hold(exchange, bytes);
    },
    release,
    stop: () => clearInterval(sweep),
  };
}
