/** Work that goes on beside the store's service and must have ended before the store is closed. */

export interface BackgroundWork {
  /** Once true, work ends at its next step. */
  stopping(): boolean;
  /** Runs `work`, and makes {@link stop} wait for it. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Asks all work to end and waits until it has. */
  stop(): Promise<void>;
}

export function createBackgroundWork(): BackgroundWork {
  const running = new Set<Promise<unknown>>();
  let stopping = false;
  return {
    stopping: () => stopping,
    run: (work) => {
      const promise = work();
      running.add(promise);
      const ended = () => running.delete(promise);
      promise.then(ended, ended);
      return promise;
    },
    stop: async () => {
      stopping = true;
      await Promise.allSettled(running);
    },
  };
}
