/** What stands at a path: the contract between the server and those that answer. */
import type { Lane } from './admission/admission.ts';
import type { Exchange } from './exchange.ts';

export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Stands for the path in metrics. */
  readonly name: string;
  /** How its calls are admitted; absent: all are. */
  readonly lane?: Lane;
  /** Required on POST. */
  readonly body?: {
    readonly maxBytes: number;
    readonly mediaTypes: readonly string[];
    /** A call without a body needs no content type either. */
    readonly optional?: boolean;
    /** The handler answers in a later turn: what it was given stays in memory until then. */
    readonly answeredLater?: boolean;
  };
  /**
   * Answers the exchange, now or later. `body` is only valid until the handler first awaits; `type` is the
   * body's media type, one of `mediaTypes`. With `mayWait` nothing stands behind the request in what was read from its
   * connection, so the answer may come in a later turn without harm to a pipelined request.
   */
  handle(exchange: Exchange, body: Buffer, type: string, mayWait: boolean): void | Promise<void>;
}
