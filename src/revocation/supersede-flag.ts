/**
 * Whether any credential may be superseded, for all threads to see: while none is, nobody is asked a second question
 * about each card.
 *
 * Raised before a supersede is acknowledged, and never lowered: what begins after the acknowledgement sees it.
 */

export interface SupersedeFlag {
  readonly shared: SharedArrayBuffer;
  isRaised(): boolean;
}

export interface SupersedeFlagWriter extends SupersedeFlag {
  raise(): void;
}

/** Begins as not raised. */
export function createSupersedeFlag(): SupersedeFlagWriter {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  return {
    ...attachSupersedeFlag(cell.buffer as SharedArrayBuffer),
    raise: () => {
      Atomics.store(cell, 0, 1);
    },
  };
}

/** The same in another thread. */
export function attachSupersedeFlag(shared: SharedArrayBuffer): SupersedeFlag {
  const cell = new Int32Array(shared);
  return { shared, isRaised: () => Atomics.load(cell, 0) === 1 };
}
