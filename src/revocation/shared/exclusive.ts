/** One at a time: the copy's one writer is the main thread, and what spans several calls must not interleave. */

export interface Exclusive {
  /** Runs `work` after all work begun before has ended. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Work that runs or waits. */
  pending(): number;
}

export function createExclusive(): Exclusive {
  let last: Promise<unknown> = Promise.resolve();
  let pending = 0;
  return {
    run: (work) => {
      pending++;
      const mine = last.then(work).finally(() => {
        pending--;
      });
      // The next one runs also if this one fails; the failure is its own caller's.
      last = mine.then(
        () => undefined,
        () => undefined,
      );
      return mine;
    },
    pending: () => pending,
  };
}
