/** One request and its one answer, as handlers have them. */
import type { KnownCaller } from '../callers/caller-index.ts';
import type { Problem } from './problem.ts';
import type { RequestHead } from './request-head.ts';

export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Exchange {
  readonly head: RequestHead;
  /** Bytes of body that were announced. */
  readonly contentLength: number;
  /** Who called; `undefined` where callers have no names. */
  readonly caller: KnownCaller | undefined;
  /** Credentials that were looked at for it: what it costs its caller. */
  credentials: number;
  /**
   * So many credentials were found in it, and are to be looked at. 0: its caller's quota has them; else it has not, and all
   * of it may be asked again after so many milliseconds.
   */
  spend(credentials: number): number;
  readonly requestId: string;
  /** The same where it may be logged: made here, or of a form that carries no words. */
  readonly loggableId: string | undefined;
  /** Answered, or the client went away: nothing more need be done for it. */
  isOver(): boolean;
  /** Nothing that was given to it is needed any more: the answer was taken, or the client went away. */
  isDone(): boolean;
  /**
   * Somebody else is asked before it is answered, in bounded time: until then nothing more is read from its connection.
   * The parser would close that without an answer at the next request, or at the end of the client's side.
   */
  waitElsewhere(): void;
  reply(reply: Reply): void;
  /** 200 with a JSON document: the answer that is given a hundred thousand times a second. */
  replyJson(body: Uint8Array): void;
  problem(problem: Problem, headers?: Readonly<Record<string, string>>): void;
}
