/** Why a trust list was not taken: a closed list, so that each reason is a metric's label. */

export const TRUST_REFUSAL_REASONS = [
  /** The source gave no list: no connection, deadline, status other than 200, redirect, no such file. */
  'unreachable',
  'too_large',
  'not_json',
  'schema',
  /** A key that the acceptance rule does not admit; see key-admission.ts. */
  'key_refused',
  /** An older version, or the same version with other content. */
  'version_not_higher',
  /** Fewer than half of the previous issuers, or of the previous keys, remain. */
  'shrunk',
  /** A pinned key is configured and the list does not bear its signature. */
  'bad_signature',
  /** The keeper was stopped before the list was judged. */
  'stopped',
] as const;

export type TrustRefusalReason = (typeof TRUST_REFUSAL_REASONS)[number];

/** `fault` is one short line for operators; it never carries key material, URL credentials or queries. */
export interface TrustRefusal {
  readonly ok: false;
  readonly reason: TrustRefusalReason;
  readonly fault: string;
}

export function refuse(reason: TrustRefusalReason, fault: string): TrustRefusal {
  return { ok: false, reason, fault };
}
