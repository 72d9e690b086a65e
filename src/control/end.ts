/** When the gateway ends, what must be undone then, and what is done where that hangs. */
import type { Clock } from '../clock.ts';
import { describeError, type Log } from '../log.ts';
import { loadNativeAddon } from '../native/addon.ts';

export interface End {
  /** Resolves to why the gateway is to end. */
  readonly asked: Promise<string>;
  /** Ends it because it can no longer be trusted to serve; what is in flight is still answered. */
  fail(why: string): void;
  isAsked(): boolean;
  hasFailed(): boolean;
}

/** SIGTERM and SIGINT end the gateway; so does an error that nobody caught, of which only the place is logged. */
export function watchForEnd(log: Log): End {
  let failed = false;
  let isAsked = false;
  let resolveAsked: (why: string) => void = () => {};
  const asked = new Promise<string>((resolve) => {
    resolveAsked = resolve;
  });
  const ask = (why: string): void => {
    isAsked = true;
    resolveAsked(why);
  };
  const fail = (why: string): void => {
    failed = true;
    ask(why);
  };
  // Not `once`: without a listener a second signal (Ctrl-C reaches npm and us, and npm passes it on) would cut
  // off the requests that the drain waits for. The drain's own timeout bounds the wait.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => ask(signal));
  process.on('uncaughtException', (error) => {
    log('fatal', 'an error that nobody caught', describeError(error));
    fail('an error that nobody caught');
  });
  return { asked, fail, isAsked: () => isAsked, hasFailed: () => failed };
}

type Stop = (endsAtMs: number) => void | Promise<void>;

export interface Stops {
  /** Adds what must be stopped before everything added earlier. */
  add(stop: Stop): void;
  /** All are to have ended by then, on the monotonic clock. */
  run(endsAtMs: number): Promise<void>;
}

/** Parts are stopped in the reverse of the order in which they were started. */
export function createStops(): Stops {
  const stops: Stop[] = [];
  return {
    add: (stop) => stops.push(stop),
    run: async (endsAtMs) => {
      for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) await stop(endsAtMs);
    },
  };
}

/** What ends a part has its own deadline, a worker that hangs the longest; a disk that hangs has none. */
const STOPS_OVERTIME_MS = 10_000;
/** Everything is stopped then; what was given to a disk may still be written. */
const LEAST_END_MS = 1_000;

export interface ForcedEnd {
  /** The end has begun, and is to be over then, on the monotonic clock. */
  begun(endsAtMs: number, code: number): void;
  /** Everything was stopped: nothing but the process itself is left. */
  stopped(endsAtMs: number, code: number): void;
}

/**
 * Ends a process that does not end by itself: a thread that hangs in a call of the system, most likely one to a disk, keeps
 * it from exiting, `process.exit` included, and with it what waits for that call. The main thread itself must still run.
 */
export function createForcedEnd(clock: Pick<Clock, 'monotonicMs'>, log: Log): ForcedEnd {
  let timer: NodeJS.Timeout | undefined;
  const endAt = (atMs: number, code: number): void => {
    clearTimeout(timer);
    const end = (): void => {
      log('error', 'something still waits for the system: the process ends without it');
      const native = loadNativeAddon();
      if (native.ok) native.addon.endProcess(code);
      else process.kill(process.pid, 'SIGKILL');
    };
    timer = setTimeout(end, Math.max(LEAST_END_MS, atMs - clock.monotonicMs())).unref();
  };
  return {
    begun: (endsAtMs, code) => endAt(endsAtMs + STOPS_OVERTIME_MS, code),
    stopped: endAt,
  };
}
