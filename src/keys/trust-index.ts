/** Lookup of keys by (iss, kid): immutable, built once for each trust list that takes effect. */
import type { TrustedIssuer, TrustedKey, TrustList } from './trusted-key.ts';

export interface TrustIndex {
  readonly version: number;
  readonly issuers: readonly TrustedIssuer[];
  issuer(iss: string): TrustedIssuer | undefined;
  key(iss: string, kid: string): TrustedKey | undefined;
}

export function buildTrustIndex(list: TrustList): TrustIndex {
  // Maps, not objects: `__proto__` and `constructor` are kids like any other.
  const issuers = new Map(
    list.issuers.map((issuer) => [
      issuer.iss,
      { issuer, keys: new Map(issuer.keys.map((key) => [key.kid, key])) },
    ]),
  );
  return {
    version: list.version,
    issuers: list.issuers,
    issuer: (iss) => issuers.get(iss)?.issuer,
    key: (iss, kid) => issuers.get(iss)?.keys.get(kid),
  };
}
