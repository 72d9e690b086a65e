/** One run at a time, and never more than one waiting, however many ask. */

export interface SingleFlight<Result> {
  ask(allowShrink: boolean): Promise<Result>;
  /** Resolves when no run is under way or waiting, as of the call. */
  idle(): Promise<void>;
}

/**
 * Wraps `run` so that all calls made before a run begins share it. A call made while one runs gets the next
 * run, not the one under way: that one may have read the source before the caller changed it. A run is made
 * with `allowShrink` if any of its callers asked for it, so that such a call is never answered by one without.
 */
export function createSingleFlight<Result>(
  run: (allowShrink: boolean) => Promise<Result>,
): SingleFlight<Result> {
  interface Turn {
    allowShrink: boolean;
    result: Promise<Result>;
  }
  let waiting: Turn | undefined;
  let lastEnded: Promise<unknown> = Promise.resolve();

  function ask(allowShrink: boolean): Promise<Result> {
    if (waiting !== undefined) {
      waiting.allowShrink ||= allowShrink;
      return waiting.result;
    }
    const turn: Turn = {
      allowShrink,
      result: lastEnded.then(() => {
        waiting = undefined;
        return run(turn.allowShrink);
      }),
    };
    waiting = turn;
    // A run that throws ends its own callers' wait with the error; the next begins all the same.
    lastEnded = turn.result.catch(() => undefined);
    return turn.result;
  }
  return { ask, idle: async () => void (await lastEnded) };
}
