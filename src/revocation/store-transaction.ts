/** What a transaction on the store is given, decides and comes to. */
import type { StoreState } from './store-state.ts';

/** Why the store could not vouch for itself; all of them mean that durability cannot be promised. */
export type StoreFault = 'store-replaced' | 'taken-over' | 'damaged' | 'io-error';

export type StoreResult<T> =
  | { readonly ok: true; readonly value: T }
  /** `code` is the system's or LMDB's, for the log. */
  | { readonly ok: false; readonly fault: StoreFault; readonly code?: string };

/** What a transaction's body decided; without `commit` nothing it did takes place. */
export interface Decision<T> {
  readonly commit: boolean;
  readonly value: T;
  /** The life of the log that the store speaks for from this transaction on; without it the one it did. */
  readonly epoch?: Buffer;
}

/** Runs `body` in one durable transaction; see `StatusStore.transact`. */
export type Transact = <T>(body: (state: StoreState, epoch: Buffer) => Decision<T>) => StoreResult<T>;
