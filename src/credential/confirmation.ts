/**
 * The holder's key as the issuer wrote it into the credential: the claim `cnf` with a JWK (RFC 7800 section 3.2), an
 * OKP key on Ed25519 (RFC 8037 section 2).
 */
import { decodeBase64url } from '../encoding/base64url.ts';
import { isCanonicalEncoding, isLowOrderEncoding, POINT_BYTES } from '../encoding/ed25519-point.ts';
import { isJsonObject, type JsonValue } from '../encoding/strict-json.ts';

/** Other ways to name the key, of which RFC 7800 section 3.1 allows one at most. */
const OTHER_KEY_MEMBERS = ['jwe', 'jku'];

/**
 * The 32 raw bytes of the holder's key; `undefined` when there is none that may be used.
 *
 * It must be canonical and not of small order (acceptance rule `vigie-ed25519-1`), which its bytes tell. That it must be
 * a point of the curve too is left to the engine: by what is no point no signature holds. A torsion part, as an issuer's
 * key may not have, costs too much to look for in each presentation.
 */
export function confirmationKey(cnf: JsonValue | undefined): Uint8Array | undefined {
  if (!isJsonObject(cnf) || OTHER_KEY_MEMBERS.some((name) => Object.hasOwn(cnf, name))) return undefined;
  const { jwk } = cnf;
  if (!isJsonObject(jwk) || jwk.kty !== 'OKP' || jwk.crv !== 'Ed25519' || typeof jwk.x !== 'string') {
    return undefined;
  }
  // RFC 7800 section 3.2: the key is a public one. Whoever publishes the private half has no holder any more.
  if (Object.hasOwn(jwk, 'd')) return undefined;
  const key = decodeBase64url(jwk.x);
  if (key?.length !== POINT_BYTES || !isCanonicalEncoding(key) || isLowOrderEncoding(key)) return undefined;
  return key;
}
