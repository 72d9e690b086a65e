/**
 * The verdict table: every reason the gateway can give, with its stable code, verdict and advice for the
 * counter. Codes are part of the wire contract (byte answers carry nothing else) and never change.
 */

export type Verdict = 'valid' | 'invalid' | 'revoked' | 'suspended' | 'indeterminate';

export type Action =
  | 'bill'
  | 'rescan'
  | 'refuse'
  | 'retry'
  | 'refresh_app'
  | 'use_physical_card'
  | 'check_rights';

export type Reason = (typeof REASONS)[number]['reason'];

export const REASONS = [
  { code: 0, reason: 'ok', verdict: 'valid', action: 'bill' },
  { code: 1, reason: 'malformed', verdict: 'invalid', action: 'rescan' },
  { code: 2, reason: 'alg_not_allowed', verdict: 'invalid', action: 'refuse' },
  { code: 3, reason: 'crit_unsupported', verdict: 'invalid', action: 'refuse' },
  { code: 4, reason: 'unknown_issuer', verdict: 'invalid', action: 'refuse' },
  { code: 5, reason: 'unknown_key', verdict: 'invalid', action: 'retry' },
  { code: 6, reason: 'key_not_active', verdict: 'invalid', action: 'refuse' },
  { code: 7, reason: 'bad_signature', verdict: 'invalid', action: 'refuse' },
  { code: 8, reason: 'not_yet_valid', verdict: 'invalid', action: 'refresh_app' },
  { code: 9, reason: 'expired', verdict: 'invalid', action: 'refresh_app' },
  { code: 10, reason: 'audience_mismatch', verdict: 'invalid', action: 'rescan' },
  { code: 11, reason: 'holder_proof_missing', verdict: 'invalid', action: 'rescan' },
  { code: 12, reason: 'holder_proof_invalid', verdict: 'invalid', action: 'rescan' },
  { code: 13, reason: 'replayed', verdict: 'invalid', action: 'rescan' },
  { code: 14, reason: 'revoked', verdict: 'revoked', action: 'use_physical_card' },
  { code: 15, reason: 'suspended', verdict: 'suspended', action: 'use_physical_card' },
  { code: 16, reason: 'revocation_stale', verdict: 'indeterminate', action: 'retry' },
  { code: 17, reason: 'keys_stale', verdict: 'indeterminate', action: 'retry' },
  { code: 18, reason: 'overloaded', verdict: 'indeterminate', action: 'retry' },
  { code: 19, reason: 'rights_not_open', verdict: 'invalid', action: 'check_rights' },
  { code: 20, reason: 'test_credential', verdict: 'invalid', action: 'refuse' },
] as const satisfies readonly { code: number; reason: string; verdict: Verdict; action: Action }[];

/** Codes by reason. */
export const CODES = Object.fromEntries(REASONS.map(({ reason, code }) => [reason, code])) as Readonly<
  Record<Reason, number>
>;

/** The reason with this code, which is its place in the table. */
export function reasonOf(code: number): Reason {
  return (REASONS[code] as (typeof REASONS)[number]).reason;
}
