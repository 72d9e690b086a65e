/** When the gateway ends, and what must be undone then. */
import { describeError, type Log } from '../log.ts';

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
