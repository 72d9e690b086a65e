/**
 * Answers to what is shed: made beforehand, given before anything of the body is looked at.
 *
 * Reading a small request and refusing it costs half of what verifying it does, nearly all of it in the kernel. Whoever
 * refuses at once all that comes at five times its capacity does nothing else. So refusals have a share of the time;
 * those beyond it are held back, and with them their connections, which send nothing meanwhile: the rest of the load
 * stays with those who make it. A client that heeds `Retry-After` does not notice.
 */
import type { HttpResponse } from 'uWebSockets.js';
import { DROPPED_BODY_BYTES } from '../../config.ts';
import { type Problem, problemReply } from '../problem.ts';
import { RETRY_AFTER_SECONDS } from '../retry-after.ts';

/** Share of the time for refusals while there are more of them, and how much of it may be saved up. */
const TIME_SHARE = 0.05;
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

const OVERLOADED: Problem = {
  type: 'overloaded',
  detail: 'shed before it was looked at: nothing is known of it',
};

/** A request that is shed. */
export interface Shed {
  /** Bytes of body that were announced. */
  readonly contentLength: number;
  readonly requestId: string;
  /** By which the request is counted. */
  readonly routeNumber: number;
  readonly startedAtMs: number;
}

export interface RefusalsOptions {
  monotonicMs(): number;
  /** Uniform in [0, 1). */
  random(): number;
  isDraining(): boolean;
  onEnd(shed: Shed, status: number | undefined): void;
  /** So many wait now. */
  onWaiting(count: number): void;
}

export interface Refusals {
  /** Answers, now or a little later; `costMs` is what reading and answering takes. */
  refuse(res: HttpResponse, shed: Shed, costMs: number): void;
  stop(): void;
}

interface Waiting {
  readonly res: HttpResponse;
  readonly shed: Shed;
  readonly costMs: number;
}

export function createRefusals(options: RefusalsOptions): Refusals {
  const { monotonicMs, random, isDraining } = options;
  const { heads, body } = prebuiltAnswers();
  // Sets keep the order too, and whoever leaves is out at once, so that only those count who wait.
  const small = new Set<Waiting>();
  const large = new Set<Waiting>();
  let creditMs = MOST_CREDIT_MS;
  let creditAtMs = monotonicMs();
  let timer: NodeJS.Timeout | undefined;

  const answer = (res: HttpResponse, shed: Shed, costMs: number): void => {
    creditMs = Math.max(creditMs - costMs, -MOST_DEBT_MS);
    const closes = shed.contentLength > DROPPED_BODY_BYTES || isDraining();
    // The parser writes the status line as it is told, so all headers go with it: two calls into it in all.
    res.writeStatus(heads[Math.floor(random() * heads.length)] + shed.requestId);
    res.end(body, closes);
    options.onEnd(shed, 503);
  };
  const earn = (now: number): void => {
    creditMs = Math.min(MOST_CREDIT_MS, creditMs + TIME_SHARE * (now - creditAtMs));
    creditAtMs = now;
  };
  /** Gives what is due of a queue, the oldest first. */
  const give = (queue: Set<Waiting>, mostWaitMs: number, now: number): void => {
    for (const one of queue) {
      const { res, shed, costMs } = one;
      if (creditMs <= 0 && now - shed.startedAtMs < mostWaitMs && !isDraining()) return;
      queue.delete(one);
      res.cork(() => {
        if (isLarge(shed)) res.resume();
        answer(res, shed, costMs);
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
  const hold = (res: HttpResponse, shed: Shed, costMs: number): void => {
    const one: Waiting = { res, shed, costMs };
    const queue = isLarge(shed) ? large : small;
    res.onAborted(() => {
      queue.delete(one);
      options.onEnd(shed, undefined);
    });
    if (isLarge(shed)) res.pause();
    queue.add(one);
    timer ??= setInterval(release, RELEASE_INTERVAL_MS).unref();
  };
  return {
    refuse: (res, shed, costMs) => {
      if (creditMs <= costMs) earn(monotonicMs());
      const isNext = held() === 0 && creditMs > 0;
      if (isNext || held() >= MOST_WAITING || isDraining()) answer(res, shed, costMs);
      else hold(res, shed, costMs);
    },
    stop: () => clearInterval(timer),
  };
}

function isLarge({ contentLength }: Shed): boolean {
  return contentLength > LARGE_BYTES;
}

/** One head for each time to come back after, up to the request id that ends it: all that differs. */
function prebuiltAnswers(): { readonly heads: readonly string[]; readonly body: Uint8Array } {
  const { contentType, body } = problemReply(OVERLOADED);
  const heads = RETRY_AFTER_SECONDS.map(
    (seconds) =>
      `503 Service Unavailable\r\nretry-after: ${seconds}\r\ncontent-type: ${contentType}\r\nx-request-id: `,
  );
  return { heads, body: Buffer.from(body) };
}
