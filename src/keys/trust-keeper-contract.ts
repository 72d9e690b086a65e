/** What the trust keeper asks for and promises; the keeping itself is in trust-keeper.ts. */
import type { Clock } from '../clock.ts';
import type { NoLastKnownGood } from './last-known-good.ts';
import type { CandidateRules } from './trust-candidate.ts';
import type { TrustListener } from './trust-publisher.ts';
import type { TrustRefusal, TrustRefusalReason } from './trust-refusal.ts';
import type { ReadLimits, TrustSource } from './trust-source.ts';
import type { TrustList } from './trusted-key.ts';

/** Waits after an unreachable source: no setting, since they only bound how soon its return is noticed. */
export const TRUST_RETRY_MS = { retryMinMs: 1_000, retryMaxMs: 30_000 } as const;

export interface TrustKeeperOptions extends CandidateRules, ReadLimits {
  readonly source: TrustSource;
  /** A file in the data directory, which exists; the keeper alone writes it and `<file>.new`. */
  readonly lastKnownGoodFile: string;
  /** Between two refreshes, give or take a tenth, so that gateways started together spread out. */
  readonly refreshMs: number;
  /** First and longest wait after the source could not be reached. */
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
  /** Least time between two refreshes caused by unknown keys, all callers together. */
  readonly unknownKeyRefreshMs: number;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly log: (event: string, fields: Readonly<Record<string, unknown>>) => void;
  /** The emergency retirements on record, asked whenever a list is put into effect. */
  readonly isRetired: (iss: string, kid: string) => boolean;
}

export type ReloadOutcome =
  | {
      readonly ok: true;
      readonly change: 'new' | 'unchanged';
      readonly version: number;
      /** Every listener has taken the list. */
      readonly enforced: boolean;
      /** It stands on disk as the last known good one. */
      readonly kept: boolean;
    }
  | TrustRefusal;

/** With `ok: false` the start must end: `error` is the one line to say. */
export type StartOutcome =
  | {
      readonly ok: true;
      /** `none`: the URL cannot be reached and nothing is kept; `current` is undefined until it can be. */
      readonly from: 'source' | 'last_known_good' | 'none';
      /** Why the list is not the source's. */
      readonly refusal?: TrustRefusal;
      /** A list was on disk and was not used. */
      readonly lastKnownGoodIgnored?: NoLastKnownGood;
    }
  | { readonly ok: false; readonly error: string };

export type RefreshResult = 'new' | 'unchanged' | TrustRefusalReason;

export interface TrustStatus {
  readonly sourceKind: 'file' | 'url';
  readonly sourceName: string;
  readonly version?: number;
  readonly issuers: number;
  readonly keys: number;
  readonly retiredKeys: number;
  /** Since the source last confirmed the list in effect; never understated, absent where it is unknown. */
  readonly ageMs?: number;
  readonly lastOutcome?: {
    readonly outcome: RefreshResult;
    readonly atWallMs: number;
    readonly fault?: string;
  };
  /** Refreshes by result, since the start. */
  readonly outcomes: Readonly<Record<RefreshResult, number>>;
}

export interface TrustKeeper {
  /** Once. Loads the list and, if it may go on, begins the refreshes. */
  start(): Promise<StartOutcome>;
  /** Asks the source anew; resolves when every listener has taken what came of it. */
  reload(options: { readonly allowShrink: boolean }): Promise<ReloadOutcome>;
  /** Says that a credential named a key that no list in effect has. Cheap; never throws. */
  noteUnknownKey(iss: string, kid: string): void;
  /**
   * Enforces the withdrawal of a key, which the caller has put on record (`isRetired`) before. Resolves when
   * the listeners have taken it. `known`: whether the current list has the key.
   */
  retireKey(iss: string, kid: string): Promise<{ readonly known: boolean; readonly enforced: boolean }>;
  /** Asks the record of retirements anew, which others add to as well; resolves to whether all have taken it. */
  refreshRetirements(): Promise<boolean>;
  /** Returns what removes the listener again. A listener added late reads `current` itself. */
  onChange(listener: TrustListener): () => void;
  /** Told of each confirmation once the list is in effect, for the age limit in other threads. */
  onConfirmed(listener: (atMonotonicMs: number) => void): () => void;
  readonly current: TrustList | undefined;
  status(): TrustStatus;
  /** Ends the refreshes; resolves when none is under way. The list in effect stays. */
  stop(): Promise<void>;
}
