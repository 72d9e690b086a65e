/** The closed lists of a card's status, shared by the store, the admin interface and its clients. */

/** `active` lifts a suspension; a revocation is final. Stored as its index: the order never changes. */
export const CARD_STATUSES = ['active', 'suspended', 'revoked'] as const;
export type CardStatus = (typeof CARD_STATUSES)[number];

/**
 * Why a status changed: a closed list, so that nothing about a person can stand there. Stored as its index
 * plus one, so it only ever grows at the end.
 */
export const STATUS_REASONS = [
  'lost',
  'stolen',
  'compromised',
  'superseded',
  'issued_in_error',
  'deceased',
  'other',
] as const;
export type StatusReason = (typeof STATUS_REASONS)[number];

/** A change as operators ask for it and as it travels; one type, so that client and gateway cannot differ. */
export interface StatusChange {
  readonly iss: string;
  readonly jti: string;
  readonly status: CardStatus;
  readonly why?: StatusReason | undefined;
  /** Seconds since the epoch, as `exp`. Kept with the entry; no revocation or suspension ends by it. */
  readonly expiresAt?: number | undefined;
}

/**
 * Makes every credential of a card that was issued before an instant count as revoked, whatever its `jti`. Final, as a
 * revocation is; of two the later instant holds.
 */
export interface Supersede {
  readonly iss: string;
  /** The card, as its credentials name it: the claim `sub`. */
  readonly sub: string;
  /** Seconds since the epoch, as `iat`; a credential issued at this very instant is not superseded. */
  readonly issuedBefore: number;
  /** By when all older credentials will have expired (seconds since the epoch, as `exp`). */
  readonly expiresAt?: number | undefined;
}

/** What a change does to a card, as the trail of admin actions has it: the statuses' verbs, and the change without one. */
export const CHANGE_KINDS = ['revoke', 'suspend', 'reinstate', 'supersede'] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

export function isSupersede(change: StatusChange | Supersede): change is Supersede {
  return Object.hasOwn(change, 'issuedBefore');
}
