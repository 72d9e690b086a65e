/** What the admin calls ask of the rest of the gateway. */
import type { CardStatus, StatusChange, Supersede } from '../card-status.ts';
import type { ChangeOutcome, ChangeRequest } from '../revocation/change-call.ts';
import type { AdminAudit } from './admin-audit.ts';

export interface AdminParts {
  readonly audit: AdminAudit;
  /** Keyed hashes by which the log knows what the changes name (hexadecimal). */
  hashesOf(changes: readonly (StatusChange | Supersede)[]): readonly string[];
  /** The same of one card, of one holder, and of one key. */
  hashOfCard(iss: string, jti: string): string;
  hashOfHolder(iss: string, sub: string): string;
  hashOfKey(iss: string, kid: string): string;
  changeStatuses(request: ChangeRequest): Promise<ChangeOutcome>;
  /** `undefined`: the store cannot tell. */
  queryStatus(iss: string, jti: string): StatusAnswer | undefined;
  /** `undefined`: the store cannot tell. */
  querySupersede(iss: string, sub: string): StatusAnswer | undefined;
  /** `undefined`: the store cannot tell. */
  statusSummary(): object | undefined;
  rebuildFilter(): Promise<FilterRebuildResult>;
  reloadTrustList(options: { allowShrink: boolean }): Promise<ReloadResult>;
  describeTrustList(): object;
  retireKey(iss: string, kid: string): Promise<RetirementResult>;
}

/** `since` in milliseconds since the epoch. */
export interface StatusAnswer {
  readonly status: CardStatus | 'superseded';
  readonly since?: number | undefined;
  readonly why?: string | undefined;
  /** Of older credentials that are superseded: seconds since the epoch, as `iat`. */
  readonly issuedBefore?: number | undefined;
}

export type ReloadResult =
  | { readonly ok: true; readonly version: number; readonly changed: boolean; readonly enforced: boolean }
  | { readonly ok: false; readonly reason: string; readonly fault: string };

/** `answer` is what callers are shown. */
export type FilterRebuildResult =
  | { readonly ok: true; readonly answer: object }
  | { readonly ok: false; readonly fault: string };

export type RetirementResult =
  | { readonly ok: true; readonly seq: number; readonly known: boolean }
  | { readonly ok: false };
