/**
 * Whether the exact copy may clear a card that the filter knows, shared by all threads.
 *
 * The filter says "perhaps" and the copy holds nothing, or a reinstatement: if the copy is known to be complete,
 * the card is active. If it is not (its entries are not audited yet after a start from the filter's file, or they
 * are being reconciled), its revocation may be what is missing: "cannot tell" (promise 7). What the copy does hold
 * against a card stands on its MAC, complete or not.
 */

export interface Completeness {
  readonly shared: SharedArrayBuffer;
  isComplete(): boolean;
}

export interface CompletenessWriter extends Completeness {
  set(complete: boolean): void;
}

/** Begins as not complete. */
export function createCompleteness(): CompletenessWriter {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  return {
    ...attachCompleteness(cell.buffer as SharedArrayBuffer),
    set: (complete) => {
      Atomics.store(cell, 0, complete ? 1 : 0);
    },
  };
}

/** The same in another thread. */
export function attachCompleteness(shared: SharedArrayBuffer): Completeness {
  const cell = new Int32Array(shared);
  return { shared, isComplete: () => Atomics.load(cell, 0) === 1 };
}
