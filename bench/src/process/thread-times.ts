/**
 * How long threads ran, and how long they were ready to run and had no core, as the kernel's scheduler counts it
 * (Documentation/scheduler/sched-stats, /proc/PID/task/TID/schedstat). That a server pinned to a core of its own had none
 * says that something else ran there.
 */
import { readdirSync, readFileSync } from 'node:fs';

interface ThreadTimes {
  readonly ranMs: number;
  readonly waitedMs: number;
}

/** By thread id; empty where the process has ended, or the kernel does not count this. */
export type ThreadTimesById = ReadonlyMap<string, ThreadTimes>;

export function readThreadTimes(pid: number): ThreadTimesById {
  const byId = new Map<string, ThreadTimes>();
  for (const thread of unlessGone(() => readdirSync(`/proc/${pid}/task`)) ?? []) {
    const text = unlessGone(() => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8'));
    const times = parseSchedstat(text ?? '');
    if (times !== undefined) byId.set(thread, times);
  }
  return byId;
}

/** A process, and each of its threads, may end at any time. */
function unlessGone<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Time on a core, time waited for one (both in nanoseconds there), times it was given one. */
export function parseSchedstat(text: string): ThreadTimes | undefined {
  const found = /^(\d+) (\d+) \d+$/.exec(text.trim());
  return found === null ? undefined : { ranMs: Number(found[1]) / 1e6, waitedMs: Number(found[2]) / 1e6 };
}

/**
 * Between two readings: of the time for which the thread that worked most was ready to run, the share for which it had no
 * core. `undefined` where no thread did anything that is known.
 */
export function waitedShare(before: ThreadTimesById, after: ThreadTimesById): number | undefined {
  let most: ThreadTimes = { ranMs: 0, waitedMs: 0 };
  for (const [thread, { ranMs, waitedMs }] of after) {
    const { ranMs: ranBefore, waitedMs: waitedBefore } = before.get(thread) ?? { ranMs: 0, waitedMs: 0 };
    const ran = ranMs - ranBefore;
    if (ran > most.ranMs) most = { ranMs: ran, waitedMs: waitedMs - waitedBefore };
  }
  return most.ranMs === 0 ? undefined : most.waitedMs / (most.ranMs + most.waitedMs);
}
