/** Signs JSON as a JWS in compact serialization (RFC 7515 section 7.1) with Ed25519 (RFC 8037 section 3.1). */
import { type KeyObject, sign } from 'node:crypto';
import { encodeBase64url } from '../encoding/base64url.ts';

/** RFC 8037 names the algorithm EdDSA, RFC 9864 Ed25519; verifiers take both. */
export type JwsAlg = 'EdDSA' | 'Ed25519';

type JsonMembers = Readonly<Record<string, unknown>>;

/** Both parts are signed as they stand: nothing is added and nothing is checked. */
export function signJws(header: JsonMembers, payload: JsonMembers, privateKey: KeyObject): string {
  const signingInput = `${encodeJson(header)}.${encodeJson(payload)}`;
  const signature = sign(null, Buffer.from(signingInput, 'latin1'), privateKey);
  return `${signingInput}.${encodeBase64url(signature)}`;
}

function encodeJson(value: JsonMembers): string {
  return encodeBase64url(Buffer.from(JSON.stringify(value), 'utf8'));
}
