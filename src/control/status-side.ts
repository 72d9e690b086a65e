/** The revocation side as the rest of the main thread uses it, whether its store is its own or a copy of many. */
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import type { Delays } from '../metrics/delays.ts';
import type { ChangeAdmission } from '../revocation/change-call.ts';
import type { Freshness, FreshnessReader, FreshnessWriter } from '../revocation/freshness.ts';
import type { ReplicatorStatus } from '../revocation/shared/replicator-contract.ts';
import type { RetirementAnswer, StatusAnswer } from '../revocation/status-reader.ts';
import type { StatusStore } from '../revocation/status-store.ts';
import type { StatusSummary } from '../revocation/status-summary.ts';
import type { SupersedeAnswer } from '../revocation/superseded.ts';
import type { SharedRevocation } from '../workers/protocol.ts';
import type { LogCallFigures } from './observed-log.ts';
import type { FilterRebuild, HandFilter } from './store-care.ts';

/** What either kind of revocation side is made of. */
export interface StatusParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: StatusStore;
  readonly freshness: FreshnessWriter;
}

export interface StatusSide {
  readonly store: StatusStore;
  /** Durable, enforced, then acknowledged. */
  readonly changes: ChangeAdmission;
  /** `undefined` when the store cannot vouch for itself. */
  summary(): StatusSummary | undefined;
  isRetired(iss: string, kid: string): RetirementAnswer;
  /**
   * What others prove of these cards and holders, by hash and in order, none where nobody else knows: credentials
   * issued before so many seconds are revoked; Infinity: all are, -Infinity: none for all that is known.
   */
  proveRevoked(hashes: readonly Uint8Array[]): Promise<readonly number[]>;
  /** What workers are given; the filter in force at that moment. */
  readonly shared: SharedRevocation;
  view(): Freshness;
  statusOf(iss: string, jti: string): StatusAnswer;
  supersedeOf(iss: string, sub: string): SupersedeAnswer;
  /** Told when issuer keys were retired anywhere in the deployment: to be enforced here, and resolved then. */
  onKeyRetirements(listener: () => Promise<unknown>): void;
  /** Gives the way by which workers are handed a filter made anew, once there are workers. */
  handFilterBy(hand: HandFilter): void;
  /**
   * How long each change took to be enforced by every worker here (seconds): since its call came in or, with a shared
   * log, since the instant that its admitting gateway's clock gave it.
   */
  readonly enforcement: Pick<Delays, 'view'>;
  /** Makes the filter anew from the store and has every worker read it. */
  rebuildFilter(): Promise<FilterRebuild>;
  /** Absent where nothing is shared. */
  readonly replication?: Replication;
  /** What can be left to the next start is, so as to have ended by then, on the monotonic clock. */
  close(endsAtMs: number): Promise<void>;
}

/** For the last writes of a closing store, which are not cut off. */
const CLOSING_MS = 100;

/** What is left until then for what can be cut off. */
export function closingTimeMs(clock: Clock, endsAtMs: number): number {
  return Math.max(0, endsAtMs - clock.monotonicMs() - CLOSING_MS);
}

/** How this gateway's copy and the shared log stand to each other. */
export interface Replication {
  status(): ReplicatorStatus;
  /** Calls to the log so far. */
  readonly calls: LogCallFigures;
  /** Since this gateway published its filter for new ones; `undefined` where it has not. */
  snapshotAgeMs(): number | undefined;
}

/** How long after its expiry a card may leave the filter. */
export function graceMsOf({ filterExpiryGraceDays }: Config): number {
  return filterExpiryGraceDays * 86_400_000;
}

/** Whether the store is to be asked for a card or holder. A filter that leaves out expired ones rules none out here. */
export function mayBeHeldBy({ filter }: StatusStore, hash: Buffer): boolean {
  return filter.leftOutBefore() > 0 || filter.mightContain(hash);
}

export function sharedRevocation(store: StatusStore, freshness: FreshnessReader): SharedRevocation {
  const { filter, completeness, supersedes, changes, dir, identity, secret } = store;
  return {
    filter: filter.shared,
    freshness: freshness.shared,
    completeness: completeness.shared,
    supersedes: supersedes.shared,
    changes: changes.shared,
    dir,
    identity,
    secret,
  };
}
