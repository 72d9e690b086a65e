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
  /** The one in its answer, where it may be logged. */
  readonly requestId: string | undefined;
}

export interface AccessLog {
  /** The next request's head: what must be kept of it, if it is one to be logged. */
  note(req: HttpRequest, nowMs: number): Noted | undefined;
  write(noted: Noted, request: AnsweredRequest): void;
}

export type AccessLine = Readonly<Record<string, string | number>>;

/** Lines a second of all threads together: the main thread writes them. */
export const MOST_LINES = 200;
/** Beside them, for what is refused at the door: it comes by the thousand, and would leave none for what is served. */
export const MOST_REFUSAL_LINES = 50;

export interface AccessLogOptions {
  readonly oneIn: number;
  readonly mostLines: number;
  /** Among which the lines of a second are divided. */
  readonly threads: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  writeLine(line: AccessLine): void;
}

export function createAccessLog({
  oneIn,
  threads,
  random,
  writeLine,
  ...options
}: AccessLogOptions): AccessLog {
  const mostLines = Math.max(1, Math.floor(options.mostLines / threads));
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
    if (lines < mostLines) {
      lines++;
      return true;
    }
    omitted++;
    return false;
  };

  return {
    note: (req, nowMs) => {
      if (--gap > 0) return undefined;
      gap = nextGap();
      return hasRoom(nowMs) ? { trace: readTraceParent(req) } : undefined;
    },
    write: ({ trace }, { route, status, seconds, bodyBytes, requestId }) => {
      writeLine({
        route,
        status: status ?? 'gone',
        ms: Math.round(seconds * 1e6) / 1e3,
        bodyBytes,
        ...(requestId !== undefined && { requestId }),
        ...trace,
        oneIn,
        ...(omitted > 0 ? { omitted } : {}),
      });
      omitted = 0;
    },
  };
}
