/**
 * Answers to what is shed, and to whom nobody knows or who asks for too much: made beforehand, given before anything of
 * the body is looked at.
 *
 * Reading a small request and refusing it costs half of what verifying it does, nearly all of it in the kernel. Whoever
 * refuses at once all that comes at five times its capacity does nothing else. So refusals have a share of the time;
 * those beyond it are held back, and with them their connections, which send nothing meanwhile: the rest of the load
 * stays with those who make it. A client that heeds `Retry-After` does not notice.
 */
import type { HttpResponse } from 'uWebSockets.js';
import { DROPPED_BODY_BYTES } from '../../config.ts';
import type { Noted } from '../access-log.ts';
import { PROBLEMS, type ProblemType, problemReply } from '../problem.ts';
import { RETRY_AFTER_SECONDS } from '../retry-after.ts';
import { STATUS_LINES } from '../status-lines.ts';

/** Share of the time for refusals while there are more of them, and how much of it may be saved up. */
const TIME_SHARE = 0.03;
const MOST_CREDIT_MS = 5;
/** What was given beyond the share, since it had waited long enough, is not all made up for afterwards. */
const MOST_DEBT_MS = 25;
/** No refusal is held back for longer; one behind which much is to be read and dropped costs many times as much. */
const MOST_WAIT_MS = 500;
const MOST_LARGE_WAIT_MS = 2_000;
/** Beyond so many that wait, refusals are given at once again: the bound of the memory. */
const MOST_WAITING = 16_384;
const RELEASE_INTERVAL_MS = 5;
/** A body up to this size was mostly read with its head; a larger one is left with its client until the answer. */
const LARGE_BYTES = 16 * 1024;

const REFUSALS = {
  overloaded: 'shed before it was looked at: nothing is known of it',
  unauthorized: 'send Authorization: Bearer <access key>, one that is in force',
  forbidden: "this is not among the caller's scopes",
  'quota-exceeded': "the caller's own quota is used up: nothing is known of this request",
} as const satisfies Partial<Record<ProblemType, string>>;
export type RefusalKind = keyof typeof REFUSALS;

/** A request that is refused. */
export interface Refused {
  readonly kind: RefusalKind;
  /** Of a batch that was shed: items, as admission thought. 0 for all else. */
  readonly shedItems: number;
  /** Of a quota: when it could be asked again; at the earliest. */
  readonly retryAfterMs: number;
  /** Bytes of body that were announced. */
  readonly contentLength: number;
  readonly requestId: string;
  /** By which the request is counted. */
  readonly routeNumber: number;
  readonly startedAtMs: number;
  /** What the access log wants of it, if it is one to be logged. */
  readonly noted: NotedRefusal | undefined;
  /** What reading and answering it takes. */
  readonly costMs: number;
}

export interface NotedRefusal {
  readonly head: Noted;
  readonly route: string;
  /** Where it may be logged. */
  readonly requestId: string | undefined;
}

export interface RefusalsOptions {
  monotonicMs(): number;
  /** Uniform in [0, 1). */
  random(): number;
  isDraining(): boolean;
  onEnd(refused: Refused, status: number | undefined): void;
  /** So many wait now. */
  onWaiting(count: number): void;
}

export interface Refusals {
  /** Answers, now or a little later. */
  refuse(res: HttpResponse, refused: Refused): void;
  stop(): void;
}

interface Waiting {
  readonly res: HttpResponse;
  readonly refused: Refused;
}

export function createRefusals(options: RefusalsOptions): Refusals {
  const { monotonicMs, random, isDraining } = options;
  const answers = prebuiltAnswers();
  // Sets keep the order too, and whoever leaves is out at once, so that only those count who wait.
  const small = new Set<Waiting>();
  const large = new Set<Waiting>();
  let creditMs = MOST_CREDIT_MS;
  let creditAtMs = monotonicMs();
  let timer: NodeJS.Timeout | undefined;

  const answer = (res: HttpResponse, refused: Refused): void => {
    creditMs = Math.max(creditMs - refused.costMs, -MOST_DEBT_MS);
    const closes = refused.contentLength > DROPPED_BODY_BYTES || isDraining();
    const { status, head, body } = answers[refused.kind];
    // The parser writes the status line as it is told, so all headers go with it: two calls into it in all.
    res.writeStatus(head(refused.retryAfterMs, random()) + refused.requestId);
    res.end(body, closes);
    options.onEnd(refused, status);
  };
  const earn = (now: number): void => {
    creditMs = Math.min(MOST_CREDIT_MS, creditMs + TIME_SHARE * (now - creditAtMs));
    creditAtMs = now;
  };
  /** Gives what is due of a queue, the oldest first. */
  const give = (queue: Set<Waiting>, mostWaitMs: number, now: number): void => {
    for (const one of queue) {
      const { res, refused } = one;
      if (creditMs <= 0 && now - refused.startedAtMs < mostWaitMs && !isDraining()) return;
      queue.delete(one);
      res.cork(() => {
        if (isLarge(refused)) res.resume();
        answer(res, refused);
      });
    }
  };
  const held = (): number => small.size + large.size;
  const release = (): void => {
    const now = monotonicMs();
    earn(now);
    give(small, MOST_WAIT_MS, now);
    give(large, MOST_LARGE_WAIT_MS, now);
    options.onWaiting(held());
    if (held() > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
  const hold = (res: HttpResponse, refused: Refused): void => {
    const one: Waiting = { res, refused };
    const queue = isLarge(refused) ? large : small;
    res.onAborted(() => {
      queue.delete(one);
      options.onEnd(refused, undefined);
    });
    if (isLarge(refused)) res.pause();
    queue.add(one);
    timer ??= setInterval(release, RELEASE_INTERVAL_MS).unref();
  };
  return {
    refuse: (res, refused) => {
      if (creditMs <= refused.costMs) earn(monotonicMs());
      const isNext = held() === 0 && creditMs > 0;
      if (isNext || held() >= MOST_WAITING || isDraining()) answer(res, refused);
      else hold(res, refused);
    },
    stop: () => clearInterval(timer),
  };
}

function isLarge({ contentLength }: Refused): boolean {
  return contentLength > LARGE_BYTES;
}

interface Prebuilt {
  readonly status: number;
  /** All up to the request id that ends it. `random` is uniform in [0, 1). */
  head(retryAfterMs: number, random: number): string;
  readonly body: Uint8Array;
}

function prebuiltAnswers(): Readonly<Record<RefusalKind, Prebuilt>> {
  return {
    overloaded: prebuilt('overloaded', RETRY_AFTER_SECONDS),
    unauthorized: prebuilt('unauthorized', [], 'www-authenticate: Bearer\r\n'),
    forbidden: prebuilt('forbidden', []),
    'quota-exceeded': prebuilt('quota-exceeded', RETRY_AFTER_SECONDS),
  };
}

/** `seconds`: to come back after, one of them at random; a refusal that says more says that. Empty: it does not pass. */
function prebuilt(kind: RefusalKind, seconds: readonly number[], headers = ''): Prebuilt {
  const { contentType, body } = problemReply({ type: kind, detail: REFUSALS[kind] });
  const { status } = PROBLEMS[kind];
  const begin = STATUS_LINES[status];
  const end = `${headers}content-type: ${contentType}\r\nx-request-id: `;
  return {
    status,
    head: (retryAfterMs, random) => {
      if (seconds.length === 0) return `${begin}\r\n${end}`;
      const after = Math.max(
        seconds[Math.floor(random * seconds.length)] as number,
        Math.ceil(retryAfterMs / 1000),
      );
      return `${begin}\r\nretry-after: ${after}\r\n${end}`;
    },
    body: Buffer.from(body),
  };
}
