/**
 * Keeps the data plane at its number of threads: one that ends, hangs or throws where nobody catches is replaced, with
 * what it had under way closed or answered. The one thing that ends the gateway is that replacing does not help.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Counters } from '../metrics/counters.ts';
import type { NativeAddon } from '../native/addon.ts';
import type { Acceptor } from './acceptor.ts';
import { bury, type Mortal } from './burial.ts';
import { BEAT_MS } from './pulse.ts';
import { createRestartPace } from './restart-pace.ts';
import { createSilenceWatch, type SilenceWatch } from './silence-watch.ts';
import type { Member, MemberStart, RestartReason } from './worker-member.ts';

/** A thread with what is known of it here. */
export interface Thread {
  readonly member: Member;
  readonly counters: Counters;
  /** What it is ready with; `undefined` until then. */
  ready?: Extract<MemberStart, { ok: true }>;
}

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
  restarts(why: RestartReason): number;
  /** Replaces nothing any more; threads that cannot end themselves are ended. */
  stop(): Promise<void>;
}

/** A replacement that has not come up by then is given up. */
const START_DEADLINE_MS = 30_000;
/** A thread that is replaced answers what is in flight for so long. */
const RETIRE_DEADLINE_MS = 5_000;
/** And until nothing has been in flight for so long: clients that are about to send are told to go elsewhere. */
const RETIRE_QUIET_MS = 500;
/** Without any hindrance a thread is gone in milliseconds. */
const EXIT_DEADLINE_MS = 5_000;

/** How long a thread may take to close; its connections are closed by then, so nothing is lost but tidiness. */
const CLOSE_DEADLINE_MS = 2_000;

export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { log, clock, addon, acceptor } = options;
  const threads = new Set<Thread>();
  const watches = new Map<Thread, SilenceWatch>();
  const restarts = new Map<RestartReason, number>();
  const pace = createRestartPace(options.workers);
  const burials = new Set<Promise<void>>();
  const ending = new AbortController();
  let stopped = false;

  const mortalOf = ({ member, ready }: Thread): Mortal | undefined =>
    ready?.epoll === undefined ? undefined : { ...member, epoll: ready.epoll };
  const isLiving = ({ member }: Thread): boolean => member.isReady();

  /** Nothing is handed to it any more, and nothing of it is left open. */
  const seeToEnd = async (thread: Thread): Promise<void> => {
    const { member, ready, counters } = thread;
    watches.delete(thread);
    if (ready !== undefined) acceptor.remove(ready.descriptor);
    const living = () =>
      [...threads]
        .filter((other) => other !== thread && isLiving(other))
        .flatMap((other) => mortalOf(other) ?? []);
    const mortal = mortalOf(thread);
    const isBuried =
      addon !== undefined &&
      mortal !== undefined &&
      (await bury(mortal, { addon, clock, port: acceptor.port, living }));
    if (!isBuried && mortal !== undefined) return options.onLost('a worker could not be ended');
    // It never came up, so nobody is connected to it.
    if (mortal === undefined) member.close();
    if (mortal === undefined && !(await within(hasExited(member), CLOSE_DEADLINE_MS))) member.terminate();
    if (!(await within(hasExited(member), EXIT_DEADLINE_MS))) return options.onLost('a worker does not end');
    counters.forgetThread();
    threads.delete(thread);
  };
  const end = (thread: Thread): Promise<void> => {
    const burial = seeToEnd(thread).finally(() => burials.delete(burial));
    burials.add(burial);
    return burial;
  };

  /** Answers what it has begun, closes, ends: for a thread that still runs. */
  const retire = async (thread: Thread): Promise<void> => {
    const { member, ready, counters } = thread;
    if (ready !== undefined) acceptor.remove(ready.descriptor);
    member.life.retire();
    const startedAtMs = clock.monotonicMs();
    let busyAtMs = startedAtMs;
    for (let nowMs = startedAtMs; nowMs - startedAtMs < RETIRE_DEADLINE_MS; nowMs = clock.monotonicMs()) {
      if (counters.inFlight() > 0) busyAtMs = nowMs;
      if (nowMs - busyAtMs >= RETIRE_QUIET_MS || !member.isReady()) break;
      await sleep(BEAT_MS);
    }
    if (stopped || !member.isReady()) return;
    watches.delete(thread);
    member.close();
    if (!(await within(hasExited(member), EXIT_DEADLINE_MS))) return end(thread);
    counters.forgetThread();
    threads.delete(thread);
  };

  /** A thread for a place that is free, however often it takes; `undefined` when that is not to be. */
  const startNext = async (why: RestartReason): Promise<Thread | undefined> => {
    for (let cause = why; ; cause = 'start_failed') {
      restarts.set(cause, (restarts.get(cause) ?? 0) + 1);
      const delayMs = pace.next(clock.monotonicMs());
      if (delayMs === undefined) {
        options.onLost('workers end again and again');
        return undefined;
      }
      await sleep(delayMs, undefined, { signal: ending.signal }).catch(() => undefined);
      if (stopped) return undefined;
      const thread = options.birth();
      threads.add(thread);
      const start = await within(thread.member.started, START_DEADLINE_MS);
      if (start?.ok === true) {
        thread.ready = start;
        return thread;
      }
      log('error', 'a worker did not start', { error: start?.error ?? 'it took too long' });
      void end(thread);
    }
  };

  const replace = async (thread: Thread, why: RestartReason): Promise<Thread | undefined> => {
    if (stopped) return undefined;
    log('error', 'a worker is replaced', { why });
    if (addon === undefined || thread.ready?.epoll === undefined) {
      options.onLost(
        why === 'uncaught' ? 'an error that nobody caught in a worker' : 'a worker ended unasked',
      );
      return undefined;
    }
    const next = await startNext(why);
    if (next === undefined || stopped) return undefined;
    take(next);
    return next;
  };

  function take(thread: Thread): void {
    const { member, ready } = thread;
    threads.add(thread);
    if (ready !== undefined) acceptor.add(ready.descriptor);
    if (addon !== undefined && ready?.epoll !== undefined) watches.set(thread, createSilenceWatch(BEAT_MS));
    let isReplaced = false;
    const replaceOnce = async (why: RestartReason): Promise<Thread | undefined> => {
      if (isReplaced) return undefined;
      isReplaced = true;
      return replace(thread, why);
    };
    void member.faulted.then(async (why) => {
      // It serves on until there is another: better than nobody.
      if ((await replaceOnce(why)) !== undefined) await retire(thread);
    });
    void member.lost.then((why) => {
      if (stopped) return;
      if (addon !== undefined) void end(thread);
      void replaceOnce(why);
    });
  }

  const look = setInterval(() => {
    const nowMs = clock.monotonicMs();
    for (const [thread, watch] of watches) {
      const { member } = thread;
      const leaving = member.life.leaving();
      if (leaving !== undefined) member.giveUp(leaving);
      else if (watch.look(nowMs, member.life.beatAtMs()) > options.hangMs) member.giveUp('silent');
    }
  }, BEAT_MS / 2);
  look.unref();

  return {
    take,
    threads: () => [...threads],
    restarts: (why) => restarts.get(why) ?? 0,
    stop: async () => {
      stopped = true;
      ending.abort();
      clearInterval(look);
      const closing = [...threads];
      for (const { member } of closing) member.close();
      await Promise.all([...burials]);
      const left: Thread[] = [];
      await Promise.all(
        closing.map(async (thread) => {
          if (!(await within(hasExited(thread.member), CLOSE_DEADLINE_MS))) left.push(thread);
        }),
      );
      if (addon !== undefined) await Promise.all(left.map(end));
    },
  };
}

function hasExited(member: Member): Promise<boolean> {
  return member.exited.then(() => true);
}

/** What the promise resolves to, if it does so in time. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const deadline = new AbortController();
  const late = sleep(ms, undefined, { signal: deadline.signal });
  const first = await Promise.race([promise, late]);
  deadline.abort();
  return first;
}
