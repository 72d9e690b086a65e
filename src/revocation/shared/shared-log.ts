/**
 * The shared log of a deployment of several gateways, as the replicator and the admission of changes see it:
 * one contract over Redis and over the simulator's model of it.
 *
 * The log is one lineage of contiguous records under an epoch. Beside the records stands the exact entry of
 * every card and retired key, and a state record (MACed; counts and digest of all entries) that is true at the
 * head. Nothing here is trusted: whoever calls checks every MAC. Every call has a deadline.
 */

/** The head of the log, read in one piece. */
export interface LogHead {
  /** 16 bytes: generation (8, big-endian), then random. A later life of the log has a higher generation. */
  readonly epoch: Buffer;
  /** Of the last record; 0 before the first. */
  readonly seq: number;
  /** `encodeState` under this epoch, as of `seq`. Not yet checked. */
  readonly state: Buffer;
  /**
   * Of the oldest record still kept; `seq` + 1 when none is. Above the seq asked after by more than one if and only
   * if the next record is not there: trimmed, lost at the end, or missing in the middle.
   */
  readonly firstSeq: number;
}

/** One record: the card's (or key's) 16-byte hash and its 44-byte entry, whose own seq is the record's. */
export interface LogRecord {
  readonly seq: number;
  readonly hash: Buffer;
  readonly entry: Buffer;
}

/** One exact entry as the shared log holds it. */
export interface HashedEntry {
  readonly hash: Buffer;
  readonly entry: Buffer;
}

/**
 * `unreachable`: no answer within the deadline, or no connection; what was asked may have happened.
 * `refused`: Redis answered with an error (READONLY, OOM, MISCONF, LOADING, NOAUTH, NOREPLICAS …): nothing happened.
 * `malformed`: what stands there has not the form of a log.
 */
export type LogFault = 'unreachable' | 'refused' | 'malformed';

export type LogResult<T> =
  | { readonly ok: true; readonly value: T }
  /** `code`: Redis's error code or the client's, for the log; never a key or a value. */
  | { readonly ok: false; readonly fault: LogFault; readonly code: string };

export type Followed =
  /** There is no log at all. */
  | { readonly kind: 'empty' }
  /** Made under another secret, or by a version whose form is not known here. */
  | { readonly kind: 'foreign'; readonly because: 'fingerprint' | 'schema' }
  /** Somebody is making a new life of the log; its entries are not whole yet. */
  | { readonly kind: 'founding'; readonly epoch: Buffer }
  /**
   * Records after the one asked for, contiguous, oldest first, at most as many as asked and never more than 1,000.
   * One without the form of a record comes as zero bytes, which no MAC fits.
   */
  | { readonly kind: 'log'; readonly head: LogHead; readonly records: readonly LogRecord[] };

export interface Append {
  readonly epoch: Buffer;
  /** The head that the records continue; appended only if it is still there, under the same epoch. */
  readonly expectedSeq: number;
  /** 1 to 1,000. */
  readonly records: readonly LogRecord[];
  /** The state after the last record. */
  readonly state: Buffer;
  /** Kept 24 hours under the Idempotency-Key's hash, in the same atomic step. */
  readonly idempotency?: { readonly hash: Buffer; readonly answer: Buffer };
}

export type Appended =
  /** Atomic, and on as many replicas as configured. */
  | { readonly kind: 'appended' }
  /**
   * Atomic, but the configured number of replicas did not confirm it in time: it holds, and may yet be lost. Also
   * the answer to a repetition that they do not confirm.
   */
  | { readonly kind: 'unconfirmed' }
  /** Nothing was written: the log has moved on, or is another. */
  | { readonly kind: 'moved' }
  /** Nothing was written: this Idempotency-Key was answered before, and the replicas have that. */
  | { readonly kind: 'repeated'; readonly answer: Buffer };

export interface SharedLog {
  /**
   * The head and up to `maxRecords` records after `afterSeq`, atomically. `refused` by whoever is no primary
   * (READONLY) or, where replicas must confirm, has not heard from enough of them (NOREPLICAS): such a one might
   * agree with the past for ever.
   */
  follow(afterSeq: number, maxRecords: number): Promise<LogResult<Followed>>;
  /** `refused` with code FINAL, and nothing written, where another status would replace a final one. */
  append(request: Append): Promise<LogResult<Appended>>;
  /** The exact entries of these hashes in the open log, in order; `undefined` where there is none. */
  entriesOf(hashes: readonly Buffer[]): Promise<LogResult<(Buffer | undefined)[]>>;
  /**
   * Some entries of the log's present life and where to go on; begin with '0', done when `cursor` is '0'. What
   * stands throughout the scan is returned at least once. While a life is being founded, the one before it can
   * still be scanned. `refused` with code EPOCH: that life is gone; with SCAN_MOVED: another server answers, so
   * begin again.
   */
  scanEntries(
    epoch: Buffer,
    cursor: string,
  ): Promise<LogResult<{ readonly cursor: string; readonly entries: readonly HashedEntry[] }>>;

  /**
   * Begins a new life: only if the log's epoch is still `seen` (`undefined`: no log), and for as long as the
   * caller's founding lease holds. Everybody follows 'founding' until `open`, or until the lease lapses, after
   * which another may begin. `seen: undefined` also begins where what stands there is `malformed`, but never over a
   * foreign log.
   *
   * From here on nothing is appended to the life before, and its entries stay until `open`: merge them after this
   * call, not before, and no append can fall between.
   */
  beginFounding(
    seen: Buffer | undefined,
    epoch: Buffer,
    leaseMs: number,
  ): Promise<LogResult<{ readonly begun: boolean }>>;
  /** Writes entries of the life being founded and renews the lease; `held: false` when it was lost. */
  putEntries(
    epoch: Buffer,
    entries: readonly HashedEntry[],
    leaseMs: number,
  ): Promise<LogResult<{ readonly held: boolean }>>;
  /** The new life takes effect, at `seq`, with no records; older lives are dropped. Only while the lease holds. */
  open(epoch: Buffer, seq: number, state: Buffer): Promise<LogResult<{ readonly opened: boolean }>>;

  /** Takes or renews a lease by name for this gateway: who publishes the filter's snapshot, who audits. */
  lease(name: 'filter' | 'audit', leaseMs: number): Promise<LogResult<{ readonly held: boolean }>>;
  /** Publishes a snapshot in chunks under a new name, then makes it the current one; keeps the one before. */
  publishFilter(snapshot: FilterSnapshot): Promise<LogResult<void>>;
  /** The current snapshot, or `undefined` where none is whole. Not yet checked. */
  readFilter(): Promise<LogResult<FilterSnapshot | undefined>>;
  /** Drops records that nobody needs any more: those up to `throughSeq`, approximately. */
  trim(throughSeq: number): Promise<LogResult<void>>;
  /** Ends connections at once. */
  close(): void;
}

/** A filter as published: a header (parameters, epoch, seq, counts, MAC over all of it; see filter-snapshot.ts) and its bits. */
export interface FilterSnapshot {
  readonly header: Buffer;
  readonly bits: Buffer;
}
