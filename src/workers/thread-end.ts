/**
 * How a data-plane thread is brought to its end. One that still runs retires: it gets nothing new, answers what it has
 * begun, and ends itself. From one that does not, its connections are taken first, and then it is ended; and where not
 * even that succeeds it is left standing, without anything that anybody waits for.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Counters } from '../metrics/counters.ts';
import type { NativeAddon } from '../native/addon.ts';
import type { Acceptor } from './acceptor.ts';
import { bury, type Mortal } from './burial.ts';
import { BEAT_MS } from './pulse.ts';
import type { Member, MemberStart } from './worker-member.ts';

/** A thread with what the main thread keeps of it. */
export interface Thread {
  /** That of its counters, in metrics and logs. */
  readonly number: number;
  readonly member: Member;
  readonly counters: Counters;
  /** What it is ready with; `undefined` until then. */
  ready?: Extract<MemberStart, { ok: true }>;
}

export interface ThreadEndOptions {
  readonly log: Log;
  readonly clock: Clock;
  readonly addon: NativeAddon;
  readonly acceptor: Acceptor;
  /** Every thread that has not ended; those that have are taken out. */
  readonly threads: Set<Thread>;
  /** The gateway can no longer be trusted to serve. */
  onLost(why: string): void;
}

export interface ThreadEnds {
  retire(thread: Thread): Promise<void>;
  end(thread: Thread): Promise<void>;
  /** Resolves when no end is under way. */
  settled(): Promise<unknown>;
}

/** A thread that is replaced answers what is in flight for so long. */
const RETIRE_DEADLINE_MS = 5_000;
/** And until nothing has been in flight for so long: clients that are about to send are told to go elsewhere. */
const RETIRE_QUIET_MS = 500;
/** A thread closes and ends in milliseconds; one that was made to end may have memory to give back. */
const CLOSE_DEADLINE_MS = 2_000;
const EXIT_DEADLINE_MS = 5_000;
/** Threads left standing; each keeps its memory until the process ends. */
const MAX_ABANDONED = 3;

export function createThreadEnds(options: ThreadEndOptions): ThreadEnds {
  const { log, clock, addon, acceptor, threads } = options;
  const underWay = new Set<Promise<void>>();
  let abandoned = 0;

  const forget = (thread: Thread): void => {
    thread.counters.forgetThread();
    threads.delete(thread);
  };
  const abandon = ({ member }: Thread): void => {
    log('error', 'a worker does not end and is left standing', {});
    // The process would wait for it at its own end.
    if (abandoned === 0) process.once('exit', (code) => addon.endProcess(code));
    member.abandon();
    if (++abandoned > MAX_ABANDONED) options.onLost('workers do not end');
  };
  const livingBeside = (thread: Thread) => (): Mortal[] =>
    [...threads].filter((other) => other !== thread && other.member.isReady()).flatMap(mortalOf);

  const seeToEnd = async (thread: Thread): Promise<void> => {
    const { member, ready } = thread;
    if (ready !== undefined) acceptor.remove(ready.descriptor);
    const [mortal] = mortalOf(thread);
    if (mortal === undefined) {
      // It never came up, so nobody is connected to it.
      member.close();
      if (!(await hasExitedWithin(member, CLOSE_DEADLINE_MS))) member.terminate();
    } else if (!(await bury(mortal, { addon, clock, port: acceptor.port, living: livingBeside(thread) }))) {
      return options.onLost('a worker could not be ended');
    }
    if (!(await hasExitedWithin(member, EXIT_DEADLINE_MS))) abandon(thread);
    forget(thread);
  };

  const end = (thread: Thread): Promise<void> => {
    const ending = seeToEnd(thread).finally(() => underWay.delete(ending));
    underWay.add(ending);
    return ending;
  };

  const retire = async (thread: Thread): Promise<void> => {
    const { member, ready, counters } = thread;
    if (ready !== undefined) acceptor.remove(ready.descriptor);
    member.life.retire();
    const startedAtMs = clock.monotonicMs();
    let busyAtMs = startedAtMs;
    for (let nowMs = startedAtMs; nowMs - startedAtMs < RETIRE_DEADLINE_MS; nowMs = clock.monotonicMs()) {
      if (counters.inFlight() > 0) busyAtMs = nowMs;
      // No longer ready: it is closed with all others, or somebody else sees to its end.
      if (nowMs - busyAtMs >= RETIRE_QUIET_MS || !member.isReady()) break;
      await sleep(BEAT_MS);
    }
    if (!member.isReady()) return;
    member.close();
    if (await hasExitedWithin(member, CLOSE_DEADLINE_MS)) forget(thread);
    else await end(thread);
  };

  return { retire, end, settled: () => Promise.all(underWay) };
}

/** A thread that was ready, as far as its burial is concerned. */
function mortalOf({ member, ready }: Thread): Mortal[] {
  return ready?.epoll === undefined
    ? []
    : [
        {
          epoll: ready.epoll,
          life: member.life,
          hasExited: member.hasExited,
          terminate: member.terminate,
        },
      ];
}

/** False also as soon as it is known that it never will. */
export async function hasExitedWithin(member: Member, timeoutMs: number): Promise<boolean> {
  let exited = false;
  void member.exited.then(() => {
    exited = true;
  });
  for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += LOOK_MS) {
    await Promise.race([member.exited, sleep(LOOK_MS)]);
    if (exited) return true;
    if (member.life.leaving() === 'crash') return false;
  }
  return false;
}

const LOOK_MS = 20;
