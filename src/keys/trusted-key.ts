/** The trust list as the gateway holds it in memory: plain data, so that it can be sent to worker threads. */

export type HolderProofPolicy = 'none' | 'optional' | 'required';
export type RightsPolicy = 'ignore' | 'check';

export interface TrustedKey {
  readonly iss: string;
  readonly kid: string;
  /** The 32 raw bytes of the key (JWK member `x`, RFC 8037 section 2). */
  readonly publicKey: Uint8Array;
  /** Active from this instant on (seconds since the epoch), or from ever. */
  readonly nbf?: number;
  /** Active before this instant (seconds since the epoch), or for ever. */
  readonly exp?: number;
  /** Withdrawn by an emergency retirement: never active again, whatever the list says. */
  readonly retired: boolean;
}

export interface TrustedIssuer {
  readonly iss: string;
  readonly keys: readonly TrustedKey[];
  readonly holderProof: HolderProofPolicy;
  readonly audiences: readonly string[];
  readonly rights: RightsPolicy;
  /** What the `typ` of its credentials may say beside JWT. */
  readonly types: readonly string[];
}

export interface TrustList {
  /** Grows with each list published; answers show it as `key.set`. */
  readonly version: number;
  readonly issuers: readonly TrustedIssuer[];
}

/** Every key that may ever verify under this list: those withdrawn never will again. */
export function publicKeysOf(list: TrustList): Uint8Array[] {
  return list.issuers.flatMap(({ keys }) => keys.filter((key) => !key.retired).map((key) => key.publicKey));
}

/** A key is active when nbf <= t < exp (t in seconds since the epoch) and it was not withdrawn. */
export function isActive(key: TrustedKey, t: number): boolean {
  return !key.retired && t >= (key.nbf ?? -Infinity) && t < (key.exp ?? Infinity);
}
