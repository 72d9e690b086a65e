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
  /** Of the oldest record still kept; `seq` + 1 when none is. */
  readonly firstSeq: number;
  /**
   * Names the server that answered; another one after a restart, a failover or a reconnection to somebody else
   * (run id and replication id; where these are not to be had, the connection). A change means that the end of
   * the log may have been lost without anybody but its writer being able to tell.
   */
  readonly server: string;
  /**
   * As many replicas as configured confirmed, after this call began, that this server still leads: a primary cut
   * off from its replicas may have been replaced, and its log is then an old one. True where none is configured.
   */
  readonly confirmed: boolean;
  /** Some gateway holds entries that this log lacks and is about to bring them (see `hold`). */
  readonly held: boolean;
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
export const LOG_FAULTS = ['unreachable', 'refused', 'malformed'] as const;
export type LogFault = (typeof LOG_FAULTS)[number];

export type LogResult<T> =
  | { readonly ok: true; readonly value: T }
  /** `code`: Redis's error code or the client's, for the log; never a key or a value. */
  | { readonly ok: false; readonly fault: LogFault; readonly code: string };

export type Followed =
  /** There is no log at all. */
  | { readonly kind: 'empty' }
  /** Made under another secret, or by a version whose form is not known here. */
  | { readonly kind: 'foreign'; readonly because: 'fingerprint' | 'schema' }
  /** Somebody is making a new life of the log, or died over it; its entries are not whole yet. */
  | { readonly kind: 'founding'; readonly epoch: Buffer }
  /**
   * Records after the one asked for, as Redis holds them, oldest first, at most as many as asked and never more than
   * 1,000. They need not be contiguous: a record that was trimmed or lost is not among them. Whatever stands beyond
   * the head is given too, so that strays, over which no append could get, are noticed. One without the form of a
   * record comes as zero bytes, which no MAC fits.
   */
  | { readonly kind: 'log'; readonly head: LogHead; readonly records: readonly LogRecord[] };

export interface Append {
  readonly epoch: Buffer;
  /** The head that the records continue; appended only if it is still there, under the same epoch. */
  readonly expectedSeq: number;
  /**
   * The state record at that head, byte for byte: after a lost tail the same seq may stand for other entries,
   * and an append planned on those must not pass.
   */
  readonly expectedState: Buffer;
  /**
   * At most 1,000. May be empty: then nothing changes, and the answer says whether the head still stands, on the
   * replicas too.
   */
  readonly records: readonly LogRecord[];
  /** The state after the last record; without records, the one expected. */
  readonly state: Buffer;
  /**
   * Kept 24 hours, for this life of the log, under the Idempotency-Key's hash; in the same atomic step. Without
   * an answer nothing is kept: it is only asked whether there is one.
   */
  readonly idempotency?: { readonly hash: Buffer; readonly answer?: Buffer };
}

export type Appended =
  /** Atomic, and on as many replicas as configured. */
  | { readonly kind: 'appended' }
  /**
   * Atomic, but the configured number of replicas did not confirm it in time: it holds, and may yet be lost. Also
   * the answer to a repetition, or to an append without records, that they do not confirm.
   */
  | { readonly kind: 'unconfirmed' }
  /** Nothing was written: the log has moved on, or is another, or is being founded anew. */
  | { readonly kind: 'moved' }
  /**
   * Nothing was written: this Idempotency-Key was answered before, whatever else was asked, and what it answered
   * stands on as many replicas as configured (else `unconfirmed`).
   */
  | { readonly kind: 'repeated'; readonly answer: Buffer };

export interface SharedLog {
  /**
   * The head and up to `maxRecords` records after `afterSeq`, atomically. `refused` (READONLY) by whoever knows
   * itself to be no primary: it might agree with the past for ever.
   */
  follow(afterSeq: number, maxRecords: number): Promise<LogResult<Followed>>;
  /** `refused` with code FINAL, and nothing written, where another status would replace a final one. */
  append(request: Append): Promise<LogResult<Appended>>;
  /**
   * The exact entries of these hashes in the open log, or while a life is founded in the last that was open; in
   * order, `undefined` where there is none.
   */
  entriesOf(hashes: readonly Buffer[]): Promise<LogResult<(Buffer | undefined)[]>>;
  /**
   * Puts entries back, at most 1,000, which the state at this head accounts for and which are not there as they
   * were: only if head and state still stand. No record, and the state stays as it is.
   */
  restore(
    head: { readonly epoch: Buffer; readonly seq: number; readonly state: Buffer },
    entries: readonly HashedEntry[],
  ): Promise<LogResult<{ readonly restored: boolean }>>;
  /**
   * Some entries of a life and where to go on; begin with '0', done when `cursor` is '0'. What stands throughout the
   * scan is returned at least once. During a founding the lives before it can be scanned too. `refused` with code
   * EPOCH: that life is gone; with SCAN_MOVED: another server answers, so begin again.
   */
  scanEntries(
    epoch: Buffer,
    cursor: string,
  ): Promise<LogResult<{ readonly cursor: string; readonly entries: readonly HashedEntry[] }>>;

  /**
   * Begins a new life: only if the epoch that `follow` shows, open or being founded, is still `seen`
   * (`undefined`: no log, or nothing that has the form of one; never over a foreign log), and nobody else's founding
   * lease holds. From then on everybody follows 'founding' and no append passes, until `open`; when the lease lapses
   * before, another may begin, and until one does the founder may go on. Entries of older lives, also of those never
   * opened, stand until `open`: merge them after this call, not before, and no append can fall between.
   */
  beginFounding(
    seen: Buffer | undefined,
    epoch: Buffer,
    leaseMs: number,
  ): Promise<LogResult<{ readonly begun: boolean }>>;
  /**
   * All lives of which entries still stand, found by looking and not by an index: also what the head no longer
   * names, because it was lost, forged or restored, and what was never opened.
   */
  lives(): Promise<LogResult<readonly Buffer[]>>;
  /** Writes entries of the life being founded and renews the lease; `held: false` when another has begun. */
  putEntries(
    epoch: Buffer,
    entries: readonly HashedEntry[],
    leaseMs: number,
  ): Promise<LogResult<{ readonly held: boolean }>>;
  /** The new life takes effect, at `seq`, with no records; older lives are dropped. */
  open(epoch: Buffer, seq: number, state: Buffer): Promise<LogResult<{ readonly opened: boolean }>>;

  /**
   * Says for `leaseMs` that this gateway has entries which the log may lack (0: no longer). Meanwhile `follow` says
   * `held` to everybody, whatever life the log is in, and nobody takes the log for whole. One hold a gateway, of a
   * minute at most.
   */
  hold(leaseMs: number): Promise<LogResult<void>>;

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
