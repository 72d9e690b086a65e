/**
 * Whether what is known of cards may have changed, for all threads to see: a number that goes up with whatever could
 * make a look-up answer otherwise, and now and then without need. `seq` is no such mark: a reconciliation with the
 * shared log changes entries and leaves it where it is.
 */

export interface ChangeMark {
  readonly shared: SharedArrayBuffer;
  /** The same number twice: between the two nothing changed, neither in the filter nor in the store. */
  read(): number;
}

export interface ChangeMarkWriter extends ChangeMark {
  /** Told after each change, and before anybody hears that it holds. */
  move(): void;
}

export function createChangeMark(): ChangeMarkWriter {
  const cell = new BigInt64Array(new SharedArrayBuffer(8));
  return {
    ...attachChangeMark(cell.buffer as SharedArrayBuffer),
    move: () => {
      Atomics.add(cell, 0, 1n);
    },
  };
}

/** The same in another thread. */
export function attachChangeMark(shared: SharedArrayBuffer): ChangeMark {
  const cell = new BigInt64Array(shared);
  return { shared, read: () => Number(Atomics.load(cell, 0)) };
}
