/** What the exact copy says of a holder's older credentials, and what that means for one of them. */
import type { StatusReason } from '../card-status.ts';

export type SupersedeAnswer =
  | { readonly status: 'unreadable' }
  /** Nobody ever superseded credentials of this holder. */
  | { readonly status: 'active' }
  | {
      readonly status: 'superseded';
      /** Seconds since the epoch. */
      readonly issuedBefore: number;
      /** Milliseconds since the epoch. */
      readonly sinceMs: number;
      readonly why: StatusReason | undefined;
      /** Whether no later instant can be missing from the copy. */
      readonly isLatest: boolean;
    };

/**
 * Whether a credential issued at `iat` (seconds; NaN: it does not say) is superseded. Issued at the very instant it is
 * not; one that does not say when it was issued may be older, and is.
 */
export function isSuperseded(answer: SupersedeAnswer, iat: number): boolean | 'unreadable' {
  if (answer.status === 'unreadable') return 'unreadable';
  if (answer.status === 'active') return false;
  // Not `iat < issuedBefore`: NaN compares as false.
  if (!(iat >= answer.issuedBefore)) return true;
  return answer.isLatest ? false : 'unreadable';
}
