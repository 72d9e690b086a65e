/** The replicator as the rest of the gateway sees it: what it needs, what it does, what it counts. */
import type { Clock } from '../../clock.ts';
import type { FreshnessWriter } from '../freshness.ts';
import type { StoreState } from '../store-state.ts';
import type { StoreResult } from '../store-transaction.ts';
import type { FoundingReason, ReconciliationReason, RefusedKind } from './log-judgement.ts';
import type { CopyHead, ReplicaCopy } from './replica-copy.ts';
import type { LogRecord, SharedLog } from './shared-log.ts';

export const REPLICATOR_STATES = [
  /** Nothing of the log has been seen yet. */
  'bootstrapping',
  'following',
  /** A new life of the log is being made, or has to be: by this gateway or another. */
  'founding',
  'reconciling',
  'unreachable',
  /** The log belongs to another secret, or to a version that is not known here. */
  'foreign',
] as const;
export type ReplicatorState = (typeof REPLICATOR_STATES)[number];

/** For the log; nothing in it names a card, a key or a value. */
export type ReplicatorEvent =
  | {
      readonly event: 'state';
      readonly state: ReplicatorState;
      readonly before: ReplicatorState;
      readonly code: string;
    }
  | { readonly event: 'refused'; readonly what: RefusedKind }
  | { readonly event: 'founding'; readonly reason: FoundingReason }
  | { readonly event: 'founded'; readonly reason: FoundingReason }
  | { readonly event: 'reconciling'; readonly reason: ReconciliationReason }
  | { readonly event: 'reconciled'; readonly reason: ReconciliationReason }
  | { readonly event: 'healing-failed'; readonly because: string; readonly code: string }
  | { readonly event: 'copy-fault'; readonly code: string };

export interface ReplicatorSettings {
  /** Between two polls of a quiet log. */
  readonly pollMs: number;
  /** See `settling.ts`. */
  readonly settleMs: number;
  /** At most one founding of this gateway's in so much time. */
  readonly foundingIntervalMs: number;
  /** Between two audits, of the own copy and of the log's entries; 0: never. */
  readonly auditIntervalMs: number;
}

export interface ReplicatorOptions {
  readonly log: SharedLog;
  readonly copy: ReplicaCopy;
  readonly freshness: Pick<FreshnessWriter, 'beat' | 'publishSeq'>;
  /** `DeploymentSecret.entryMacKey`. */
  readonly macKey: Uint8Array;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly randomBytes: (bytes: number) => Buffer;
  /** Told of each event once; must not throw. */
  readonly onEvent: (event: ReplicatorEvent) => void;
  /** Told of records applied to the copy, this gateway's own included: what the mass-change window counts. */
  readonly onApplied: (records: readonly LogRecord[]) => void;
  readonly settings?: Partial<ReplicatorSettings>;
}

export interface StepOutcome {
  readonly state: ReplicatorState;
  /** How long the next step can wait. */
  readonly waitMs: number;
}

export interface ReplicatorStatus {
  readonly state: ReplicatorState;
  /** Records the log was ahead when last seen. */
  readonly lag: number;
  readonly refused: Readonly<Record<RefusedKind, number>>;
  /** New lives founded by this gateway. */
  readonly healings: number;
  readonly reconciliations: number;
  /** Times the log was reached again. */
  readonly reconnects: number;
  /** Entries of the log that this gateway's audits found damaged, and put back. */
  readonly restored: number;
  /** Steps that the own copy failed. */
  readonly copyFaults: number;
  /** The log may lack entries of this copy, and others have been told to wait for them. */
  readonly holding: boolean;
}

/** What a change is planned on: copy and log are one, as of a moment ago. */
export interface Standing {
  readonly epoch: Buffer;
  readonly seq: number;
  /** Of the copy. */
  readonly state: StoreState;
  /** The log's own state record at this head: what an append expects. */
  readonly stateRecord: Buffer;
  /** Applies this gateway's own records, once the log has them. */
  apply(records: readonly LogRecord[]): StoreResult<CopyHead>;
}

export type NotAtHead = 'log-unreachable' | 'log-refused' | 'log-not-whole' | 'log-settling' | 'copy-fault';

export interface Replicator {
  /** One bounded action. Never rejects but for a programmer's error. */
  step(): Promise<StepOutcome>;
  /**
   * Brings the copy to the log's head and runs `work` there, with no step in between; or says why that cannot be.
   */
  atHead<T>(work: (standing: Standing) => Promise<T>): Promise<T | { readonly notAtHead: NotAtHead }>;
  /** Counts data refused elsewhere in the gateway. */
  refused(what: RefusedKind): void;
  status(): ReplicatorStatus;
}
