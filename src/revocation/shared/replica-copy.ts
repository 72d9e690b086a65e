/**
 * What the replicator asks of a gateway's own durable copy: one contract over the LMDB store (with the filter in
 * shared memory) and over the simulator's model of a disk. Each call is one durable transaction: synced on
 * return, wholly done or not at all, and enforced by all workers (filter bits set) before it returns.
 */
import type { StoreState } from '../store-state.ts';
import type { StoreResult } from '../store-transaction.ts';
import type { HashedEntry, LogRecord } from './shared-log.ts';

export interface CopyHead {
  readonly epoch: Buffer;
  /** Last record applied: everything up to it is in the copy. */
  readonly seq: number;
  /** Counts and digest of what the copy holds now; `digest` is a copy. */
  readonly state: StoreState;
  /** False while a reconciliation has begun and not ended, also across restarts: then `seq` promises nothing. */
  readonly whole: boolean;
}

export interface ReplicaCopy {
  head(): StoreResult<CopyHead>;
  /**
   * Applies records that continue `seq`; each has been authenticated. A record replaces the card's entry, except
   * that nothing but `revoked` ever replaces a revocation (counted and refused: `damaged`).
   */
  apply(records: readonly LogRecord[]): StoreResult<CopyHead>;
  /** Marks the copy as being reconciled (`whole: false`). */
  beginReconciliation(): StoreResult<void>;
  /**
   * Merges authenticated entries of the shared log, whatever their seq: for each the winner (see `winner.ts`)
   * stays. Idempotency and log records are untouched.
   */
  merge(entries: readonly HashedEntry[]): StoreResult<void>;
  /** Up to `limit` entries in order of hash, after the hash given; the copy may change between calls. */
  entriesAfter(hash: Buffer | undefined, limit: number): StoreResult<readonly HashedEntry[]>;
  /**
   * Ends a reconciliation: the copy now speaks for `epoch` at `seq`, wholly. `state.seq` becomes `seq`.
   */
  adopt(epoch: Buffer, seq: number): StoreResult<CopyHead>;
  /**
   * Recomputes counts and digest from the entries themselves, in slices. `sound: false`: not what the state said
   * (bit rot). Then the state has been corrected to what is there, damaged entries have been dropped, and the copy
   * is not `whole` until a reconciliation has ended; until then it clears no card that the filter knows.
   */
  audit(): Promise<StoreResult<{ readonly sound: boolean }>>;
}
