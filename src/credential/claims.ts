/** The claims' part of the acceptance rule, judged only after the signature holds (RFC 7519 section 4.1). */
import type { JsonObject, JsonValue } from '../encoding/strict-json.ts';

/** The claims that verification reads, with the types it relies on. */
export interface CheckedClaims {
  readonly iss: string;
  readonly jti: string;
  /** Seconds since the epoch. */
  readonly exp: number;
  readonly nbf: number | undefined;
  readonly iat: number | undefined;
  readonly aud: readonly string[] | undefined;
  /** The issuer made it for tests; only a gateway in demo mode accepts it. */
  readonly test: boolean;
}

/**
 * Checks presence and types: `iss` and `jti` non-empty strings, `exp` a finite number, `nbf` and `iat` finite
 * numbers if there, `aud` a string or an array of strings if there (RFC 7519 section 4.1.3).
 *
 * @returns `undefined` when a claim is missing or of another type: the credential is `malformed`.
 */
export function checkClaims(claims: JsonObject): CheckedClaims | undefined {
  const { iss, jti, exp } = claims;
  if (typeof iss !== 'string' || iss === '' || typeof jti !== 'string' || jti === '') return undefined;
  if (typeof exp !== 'number' || !Number.isFinite(exp)) return undefined;
  const nbf = optionalDate(claims, 'nbf');
  const iat = optionalDate(claims, 'iat');
  const aud = Object.hasOwn(claims, 'aud') ? readAudiences(claims.aud) : undefined;
  if (nbf === null || iat === null || aud === null) return undefined;
  return { iss, jti, exp, nbf, iat, aud, test: claims.test === true };
}

/** `null` marks a claim that is there with a type it must not have. */
function optionalDate(claims: JsonObject, name: string): number | undefined | null {
  if (!Object.hasOwn(claims, name)) return undefined;
  const value = claims[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** The audiences that the claim `aud` names; `null` when its value has a type that it must not have. */
export function readAudiences(aud: JsonValue | undefined): readonly string[] | null {
  if (typeof aud === 'string') return [aud];
  if (Array.isArray(aud) && aud.every((entry): entry is string => typeof entry === 'string')) return aud;
  return null;
}

/**
 * Judges the dates at time `t` (seconds since the epoch) with `skew` seconds of tolerance for clocks that
 * disagree; NaN stands for a date that is absent. RFC 7519: not before `nbf`, and not on or after `exp`; an `iat` in
 * the future is no credential yet.
 */
export function judgeDates(
  exp: number,
  nbf: number,
  iat: number,
  t: number,
  skew: number,
): 'not_yet_valid' | 'expired' | undefined {
  // NaN compares as false: what is absent forbids nothing.
  if (t < nbf - skew || t < iat - skew) return 'not_yet_valid';
  return t >= exp + skew ? 'expired' : undefined;
}

/**
 * Whether the credential may be used where the caller stands (RFC 7519 section 4.1.3). A credential without
 * `aud` is bound to nobody. One with `aud` must name the call's audience or, when the call names none, one of
 * the issuer's; where nobody says who the caller is, a bound credential is refused.
 */
export function audienceMatches(
  aud: readonly string[] | undefined,
  callAudience: string | undefined,
  issuerAudiences: readonly string[],
): boolean {
  if (aud === undefined) return true;
  const accepted = callAudience === undefined ? issuerAudiences : [callAudience];
  return aud.some((audience) => accepted.includes(audience));
}
