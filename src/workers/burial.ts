/**
 * Ends a thread that can no longer end itself: one that hangs, or that stands still at its last moment. Its clients see
 * their connections closed first; then the thread may go, and finds nothing open that would take the process with it.
 */
import type { Clock } from '../clock.ts';
import type { NativeAddon } from '../native/addon.ts';
import { BEAT_MS } from './pulse.ts';
import type { WorkerLife } from './worker-life.ts';

/** What is to be known of a thread; `epoll` is what it watches its connections with. */
export interface Mortal {
  readonly epoll: number;
  readonly life: WorkerLife;
  /** Then the numbers of its descriptors may be another's. */
  hasExited(): boolean;
  terminate(): void;
}

export interface BurialOptions {
  readonly addon: NativeAddon;
  readonly clock: Clock;
  /** Of the data listener. */
  port(): number | undefined;
  /** Every other thread that serves. */
  living(): readonly Mortal[];
}

/** Connections that one look lists; more wait in no queue, as clients are refused at the listener's backlog before. */
const MAX_STRAYS = 65_536;
const LOOKS = 5;
const LOOK_INTERVAL_MS = 40;
/** A living thread has taken what was handed to it by then; one that has not is about to be found silent itself. */
const MAX_WAIT_MS = 1_000;

/** To be called once the thread is out of turn; resolves when it has been told to end. False: it could not be done. */
export async function bury(dead: Mortal, options: BurialOptions): Promise<boolean> {
  const { addon } = options;
  const strays = await findStrays(options);
  // In one go, and only then told to end: nothing that it watches or will take over stays open. One that ended while
  // strays were looked for has closed what it watched with, and its successor may have got the number.
  const hasExited = dead.hasExited();
  const known = hasExited || addon.cutOffWatched(dead.epoll) >= 0;
  for (const [inode, fd] of strays) addon.cutOff(fd, inode);
  if (known && !hasExited) dead.terminate();
  dead.life.release();
  return known;
}

/**
 * Connections handed to the dead thread and never taken: those that no living thread watches. A living one may not have
 * taken its own yet, or not be watching one for a moment; so each of several looks must find them, while the living
 * threads' loops have turned.
 */
async function findStrays({
  addon,
  clock,
  port,
  living,
}: BurialOptions): Promise<ReadonlyMap<number, number>> {
  const listening = port();
  if (listening === undefined) return new Map();
  const found = new Float64Array(2 * MAX_STRAYS);
  const startedAtMs = clock.monotonicMs();
  let strays: Map<number, number> | undefined;
  for (let look = 0; ; look++) {
    const others = living();
    const count = addon.unwatchedConnections(
      listening,
      Uint32Array.from(others, ({ epoll }) => epoll),
      found,
    );
    // Unknown: then none is touched, since it might be a living thread's.
    if (count < 0) return new Map();
    const seen = new Map<number, number>();
    for (let i = 0; i < count; i++) seen.set(found[2 * i + 1] as number, found[2 * i] as number);
    strays =
      strays === undefined ? seen : new Map([...strays].filter(([inode, fd]) => seen.get(inode) === fd));
    const waitedMs = clock.monotonicMs() - startedAtMs;
    const turned = others.every(({ life }) => life.beatAtMs() > startedAtMs + BEAT_MS / 2);
    if ((look + 1 >= LOOKS && turned) || waitedMs > MAX_WAIT_MS) return strays;
    await new Promise((resolve) => setTimeout(resolve, LOOK_INTERVAL_MS));
  }
}
