/**
 * One line for one request in so many: what was asked for, how it ended, how long it took, and by which ids others know
 * it. Nothing that a caller wrote stands in it but ids of a form that carries no words.
 *
 * Which requests is chosen at random, or callers that take turns would be seen as one of them alone. Lines a second are
 * bounded, because they are written by the main thread, which has better things to do; what was left out is counted.
 */
import type { HttpRequest } from 'uWebSockets.js';
import { readTraceParent, type TraceParent } from './trace-context.ts';

/** A request that is to be logged, as its head showed it. */
export interface Noted {
  readonly sentId: string | undefined;
  readonly trace: TraceParent | undefined;
}

/** How it ended. */
export interface AnsweredRequest {
  readonly route: string;
  /** `undefined`: its client went away. */
  readonly status: number | undefined;
  readonly seconds: number;
  /** Of its body, as announced. */
  readonly bodyBytes: number;
  /** The one in its answer. */
  readonly requestId: string;
}

export interface AccessLog {
  /** The next request's head: what must be kept of it, if it is one to be logged. */
  note(req: HttpRequest, sentId: string | undefined, nowMs: number): Noted | undefined;
  write(noted: Noted, request: AnsweredRequest): void;
}

export type AccessLine = Readonly<Record<string, string | number>>;

/** Lines a second of one thread. */
const MOST_LINES = 200;

/**
 * Ids that callers send and that may be logged: a UUID, or 32 hexadecimal digits, as proxies make them. Others are
 * echoed to the caller alone, because nobody knows what was put into them.
 */
const OPAQUE_ID = /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32})$/i;

/** `random` is uniform in [0, 1). */
export function createAccessLog(
  oneIn: number,
  random: () => number,
  writeLine: (line: AccessLine) => void,
): AccessLog {
  // Uniform from 1 to 2 N − 1: N on average, and always 1 for N = 1.
  const nextGap = (): number => 1 + Math.floor(random() * (2 * oneIn - 1));
  let gap = nextGap();
  let second = Number.NEGATIVE_INFINITY;
  let lines = 0;
  let omitted = 0;

  const hasRoom = (nowMs: number): boolean => {
    if (nowMs - second >= 1000) {
      second = nowMs;
      lines = 0;
    }
    if (lines < MOST_LINES) {
      lines++;
      return true;
    }
    omitted++;
    return false;
  };

  return {
    note: (req, sentId, nowMs) => {
      if (--gap > 0) return undefined;
      gap = nextGap();
      return hasRoom(nowMs) ? { sentId, trace: readTraceParent(req) } : undefined;
    },
    write: ({ sentId, trace }, { route, status, seconds, bodyBytes, requestId }) => {
      const isOurs = requestId !== sentId;
      writeLine({
        route,
        status: status ?? 'gone',
        ms: Math.round(seconds * 1e6) / 1e3,
        bodyBytes,
        ...(isOurs || OPAQUE_ID.test(requestId) ? { requestId } : {}),
        ...trace,
        oneIn,
        ...(omitted > 0 ? { omitted } : {}),
      });
      omitted = 0;
    },
  };
}
