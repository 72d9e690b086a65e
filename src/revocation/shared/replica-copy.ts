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
  /** The entry of a card or key as it stands, not checked. */
  entryOf(hash: Buffer): StoreResult<Buffer | undefined>;
  /**
   * Applies records that continue `seq`; each has been authenticated. A record replaces the card's entry, except
   * that it changes nothing where an entry of its own seq or a later one stands (a reconciliation brought it
   * before), and that nothing but `revoked` ever replaces a revocation, and nothing an earlier instant than its own
   * that of a supersede (all refused: `damaged`).
   */
  apply(records: readonly LogRecord[]): StoreResult<CopyHead>;
  /** Marks the copy as being reconciled (`whole: false`). */
  beginReconciliation(): StoreResult<void>;
  /**
   * Merges authenticated entries of the shared log, whatever their seq: for each the winner (see `winner.ts`)
   * stays; one that is not authentic loses. Idempotency and log records are untouched.
   */
  merge(entries: readonly HashedEntry[]): StoreResult<void>;
  /**
   * Puts an empty mark in the place of those of these entries that are not authentic: what bit rot left, and no log
   * knows. It counts as nothing in the state and reads as "cannot tell", since what stood there may have been a
   * revocation, until an authentic entry is merged or applied. `entriesAfter` leaves it out.
   */
  quarantine(hashes: readonly Buffer[]): StoreResult<void>;
  /** Up to `limit` entries in order of hash, after the hash given; the copy may change between calls. */
  entriesAfter(hash: Buffer | undefined, limit: number): StoreResult<readonly HashedEntry[]>;
  /**
   * Ends a reconciliation: the copy now speaks for `epoch` at `seq`, wholly. `state.seq` becomes `seq`.
   */
  adopt(epoch: Buffer, seq: number): StoreResult<CopyHead>;
  /**
   * Recomputes counts and digest from the entries themselves, in slices; not sound: they are not what the state
   * says (bit rot). Then the state now says what was found, and the copy is being reconciled (`whole: false`); it
   * clears no card that the filter knows until an audit has found it sound.
   */
  audit(): Promise<StoreResult<{ readonly sound: boolean }>>;
}
