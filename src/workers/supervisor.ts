/**
 * Keeps the data plane at its number of threads: one that ends, hangs or throws where nobody catches is replaced, with
 * what it had under way closed or answered. The one thing that ends the gateway is that replacing does not help.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { NativeAddon } from '../native/addon.ts';
import type { Acceptor } from './acceptor.ts';
import { BEAT_MS } from './pulse.ts';
import { createRestartPace } from './restart-pace.ts';
import { createSilenceWatch } from './silence-watch.ts';
import { createThreadEnds, hasExitedWithin, type Thread } from './thread-end.ts';
import type { RestartReason } from './worker-member.ts';

export interface SupervisorOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** Without it no thread can be ended alone, and the first that is lost ends the gateway. */
  readonly addon: NativeAddon | undefined;
  readonly workers: number;
  readonly hangMs: number;
  readonly acceptor: Acceptor;
  /** Starts a thread. */
  birth(): Thread;
  /** The gateway can no longer be trusted to serve. */
  onLost(why: string): void;
}

export interface Supervisor {
  /** Puts a thread that is ready into turn, and sees to it from now on. */
  take(thread: Thread): void;
  /** Every thread that has not ended. */
  threads(): readonly Thread[];
  /** Those that take connections. */
  inTurn(): readonly Thread[];
  restarts(why: RestartReason): number;
  /** Replaces nothing any more and ends all threads. */
  stop(): Promise<void>;
}

/** Why the gateway ends where a thread cannot be ended alone. */
const UNMENDED: Partial<Record<RestartReason, string>> = {
  uncaught: 'an error that nobody caught in a worker',
  silent: 'a worker hangs',
};
/** A replacement that has not come up by then is given up. */
const START_DEADLINE_MS = 30_000;
/** How long a thread may take to close; its connections are closed by then, so nothing is lost but tidiness. */
const CLOSE_DEADLINE_MS = 2_000;

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { log, addon, acceptor } = options;
  const threads = new Set<Thread>();
  const ends = addon && createThreadEnds({ ...options, addon, threads });
  const restarts = new Map<RestartReason, number>();
  const stopping = new AbortController();
  const startNext = createStarter({ ...options, threads, signal: stopping.signal }, (thread) => {
    void ends?.end(thread);
  });

  /** Puts another in its place; false when that is not to be. */
  const replace = async (thread: Thread, why: RestartReason): Promise<boolean> => {
    log('error', 'a worker is replaced', { why });
    if (ends === undefined || thread.ready?.epoll === undefined) {
      options.onLost(UNMENDED[why] ?? 'a worker ended unasked');
      return false;
    }
    const next = await startNext(why, (cause) => restarts.set(cause, (restarts.get(cause) ?? 0) + 1));
    if (next === undefined || stopping.signal.aborted) return false;
    take(next);
    return true;
  };

  function take(thread: Thread): void {
    const { member, ready } = thread;
    threads.add(thread);
    if (ready !== undefined) acceptor.add(ready.descriptor);
    let isReplaced = false;
    const replaceOnce = async (why: RestartReason): Promise<boolean> => {
      if (isReplaced || stopping.signal.aborted) return false;
      isReplaced = true;
      return replace(thread, why);
    };
    void member.faulted.then(async (why) => {
      // It serves on until there is another: better than nobody.
      if (await replaceOnce(why)) await ends?.retire(thread);
    });
    void member.lost.then((why) => {
      if (stopping.signal.aborted) return;
      void ends?.end(thread);
      void replaceOnce(why);
    });
  }

  const stopWatching = watchThreads(threads, options);
  return {
    take,
    threads: () => [...threads],
    inTurn: () => [...threads].filter(({ ready }) => ready !== undefined && acceptor.has(ready.descriptor)),
    restarts: (why) => restarts.get(why) ?? 0,
    stop: async () => {
      stopping.abort();
      stopWatching();
      const closing = [...threads];
      for (const { member } of closing) member.close();
      await ends?.settled();
      await Promise.all(
        closing.map(async (thread) => {
          if (await hasExitedWithin(thread.member, CLOSE_DEADLINE_MS)) return;
          // One that hangs cannot close. Without native code it is left to the end of the process, which it may abort.
          if (ends === undefined) thread.member.abandon();
          else await ends.end(thread);
        }),
      );
    },
  };
}

/** Gives up on threads that are silent, or say that they are at their end; returns its stop. */
function watchThreads(
  threads: ReadonlySet<Thread>,
  { clock, hangMs }: Pick<SupervisorOptions, 'clock' | 'hangMs'>,
): () => void {
  const silences = new WeakMap<Thread, ReturnType<typeof createSilenceWatch>>();
  const timer = setInterval(() => {
    const nowMs = clock.monotonicMs();
    for (const thread of threads) {
      const { member } = thread;
      if (!member.isReady()) continue;
      const silence = silences.get(thread) ?? createSilenceWatch(BEAT_MS);
      silences.set(thread, silence);
      const leaving = member.life.leaving();
      if (leaving !== undefined) member.giveUp(leaving);
      else if (silence.look(nowMs, member.life.beatAtMs()) > hangMs) member.giveUp('silent');
    }
  }, BEAT_MS / 2);
  return () => clearInterval(timer);
}

/** Starts a thread for a place that is free, however often it takes; gives up when it is time to, or told so. */
function createStarter(
  options: SupervisorOptions & { readonly threads: Set<Thread>; readonly signal: AbortSignal },
  endFailed: (thread: Thread) => void,
) {
  const { log, clock, threads, signal } = options;
  const pace = createRestartPace(options.workers);
  return async (why: RestartReason, count: (cause: RestartReason) => void): Promise<Thread | undefined> => {
    for (let cause = why; ; cause = 'start_failed') {
      count(cause);
      const delayMs = pace.next(clock.monotonicMs());
      if (delayMs === undefined) {
        options.onLost('workers end again and again');
        return undefined;
      }
      await sleep(delayMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return undefined;
      const thread = options.birth();
      threads.add(thread);
      const deadline = new AbortController();
      const late = sleep(START_DEADLINE_MS, undefined, { signal: deadline.signal });
      const start = await Promise.race([thread.member.started, late]);
      deadline.abort();
      if (start?.ok === true) {
        thread.ready = start;
        return thread;
      }
      log('error', 'a worker did not start', { error: start?.error ?? 'it took too long' });
      endFailed(thread);
    }
  };
}
