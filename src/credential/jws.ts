/**
 * Bytes to a parsed credential: a JWT (RFC 7519) as a JWS in compact serialization (RFC 7515 section 7.1).
 *
 * Nothing here is trusted yet. The payload is read before the signature is checked only to learn which
 * issuer's key to look for; every other claim waits until the signature holds.
 */
import type { JsonObject } from '../encoding/strict-json.ts';
import { type JwsFault, parseCompactJws } from './compact-jws.ts';

export interface DecodedCredential {
  readonly kid: string;
  /** Read, untrusted, to find the key. */
  readonly iss: string;
  readonly claims: JsonObject;
  /** The payload as the issuer wrote it: answers repeat it to the letter, numbers of any size included. */
  readonly claimsText: string;
  /** ASCII bytes of `header.payload` (RFC 7515 section 5.2). */
  readonly signingInput: Uint8Array;
  /** 64 bytes: R || S. */
  readonly signature: Uint8Array;
}

export type Decoded =
  | { readonly ok: true; readonly credential: DecodedCredential }
  | { readonly ok: false; readonly reason: JwsFault };

/** Whether the policy of the issuer names the type; the issuer is only said to be the one, so far. */
export type NamesType = (iss: string, typ: string) => boolean;

/** Where nobody knows what an issuer's policy names: that is no fault of the text. */
export const ANY_TYPE: NamesType = () => true;

/** Decodes one credential of at most `maxChars` characters. Without `namesType` there is no other type than JWT. */
export function decodeJws(text: string, maxChars: number, namesType: NamesType = () => false): Decoded {
  const parsed = parseCompactJws(text, maxChars, namesKey);
  if (!parsed.ok) return parsed;
  const { header, payload, payloadText, signingInputChars, signature } = parsed.jws;
  const { iss } = payload;
  if (typeof iss !== 'string' || !isCredential(header, iss, namesType)) {
    return { ok: false, reason: 'malformed' };
  }
  return {
    ok: true,
    credential: {
      kid: header.kid as string,
      iss,
      claims: payload,
      claimsText: payloadText,
      signingInput: Buffer.from(text.slice(0, signingInputChars), 'latin1'),
      signature,
    },
  };
}

function namesKey(header: JsonObject): boolean {
  return typeof header.kid === 'string';
}

/** By its type: JWT, or what its issuer calls credentials (RFC 8725 section 3.11). */
function isCredential(header: JsonObject, iss: string, namesType: NamesType): boolean {
  if (!Object.hasOwn(header, 'typ') || header.typ === 'JWT') return true;
  return typeof header.typ === 'string' && namesType(iss, header.typ);
}
