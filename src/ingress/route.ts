/** What stands at a path: the contract between the server and those that answer. */
import type { Scope } from '../callers/caller-list.ts';
import type { Lane } from './admission/admission.ts';
import type { Exchange } from './exchange.ts';

/**
 * What was read from a connection behind a request: nothing, the next request, which was pipelined, or nobody can tell,
 * as where the body came in a later segment than its head. The names of the numbers that native code answers with.
 */
export const BEHIND = ['nothing', 'request', 'unknown'] as const;
export type Behind = (typeof BEHIND)[number];

export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Stands for the path in metrics. */
  readonly name: string;
  /** How its calls are admitted; absent: all are. */
  readonly lane?: Lane | undefined;
  /** What a caller must be allowed, where callers have names; absent: anybody may ask. */
  readonly scope?: Scope | undefined;
  /** Required on POST. */
  readonly body?: RouteBody | undefined;
  /**
   * Answers the exchange, now or later. `body` is only valid until the handler first awaits; `type` is the
   * body's media type, one of `mediaTypes`. With a request `behind` it has to be now: the parser closes a connection
   * whose next request comes while an answer is pending.
   */
  readonly handle?:
    | ((exchange: Exchange, body: Buffer, type: string, behind: Behind) => void | Promise<void>)
    | undefined;
  /** Beside `handle`: takes bodies that were read together with their heads where native code has put them. */
  readonly landing?: BodyLanding | undefined;
  /** In place of `handle`: takes the body as it arrives. Called before any of it. */
  readonly stream?: ((exchange: Exchange, type: string, flow: BodyFlow) => BodySink) | undefined;
}

export interface RouteBody {
  readonly maxBytes: number;
  readonly mediaTypes: readonly string[];
  /** A call without a body needs no content type either. */
  readonly optional?: boolean;
}

/** Room for the next body, from `at()` on, if there is any, for bodies of so many bytes at most. */
export interface LandingRoom {
  readonly bytes: Uint8Array;
  at(): number;
  readonly mostBytes: number;
}

/**
 * Where a body may be put that was read together with its head, with nothing behind it: most are, and are spared the way
 * through the parser's next call and a buffer of their own.
 */
export interface BodyLanding extends LandingRoom {
  /** The exchange's body was put there. It may be answered later; what else holds for `handle` holds here. */
  take(exchange: Exchange, type: string): void;
}

export interface BodySink {
  /** The next piece of the body, only valid until this returns; the last one may be empty. */
  take(chunk: Buffer, isLast: boolean): void;
}

/** How what takes a body says what it can take. */
export interface BodyFlow {
  /** So many bytes are now kept for the exchange, body and answer. False: there is no room, and that was answered. */
  hold(bytes: number): boolean;
  /**
   * Sets so many bytes aside for all that will be kept, as far as there is that much at all; to be said again before each
   * piece of work, or it lapses while the client is awaited. False: there is no room, and nothing was answered.
   */
  reserve(bytes: number): boolean;
  /** The client is to wait; what the kernel has of the body comes all the same. */
  pause(): void;
  resume(): void;
  /** Answers for what was thrown in a later turn. */
  fail(error: unknown): void;
}
