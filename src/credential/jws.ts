/**
 * Bytes to a parsed credential: a JWT (RFC 7519) as a JWS in compact serialization (RFC 7515 section 7.1).
 *
 * Nothing here is trusted yet. The payload is read before the signature is checked only to learn which
 * issuer's key to look for; every other claim waits until the signature holds.
 */
import { decodeBase64url } from '../encoding/base64url.ts';
import { isJsonObject, type JsonObject, parseStrictJsonBytes } from '../encoding/strict-json.ts';

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

export type DecodeFault = 'malformed' | 'alg_not_allowed' | 'crit_unsupported';

export type Decoded =
  | { readonly ok: true; readonly credential: DecodedCredential }
  | { readonly ok: false; readonly reason: DecodeFault };

const MALFORMED: Decoded = { ok: false, reason: 'malformed' };
const SIGNATURE_BYTES = 64;

/**
 * Header members that bring or point to a key (RFC 7515 sections 4.1.2, 4.1.3, 4.1.5, 4.1.6). The key comes
 * from the trust list alone: such a header is refused, and nothing it names is ever fetched.
 */
const EMBEDDED_KEY_MEMBERS = ['jwk', 'jku', 'x5c', 'x5u'];

/** Decodes one credential of at most `maxChars` characters. */
export function decodeJws(text: string, maxChars: number): Decoded {
  if (text.length > maxChars) return MALFORMED;
  const firstDot = text.indexOf('.');
  const secondDot = text.indexOf('.', firstDot + 1);
  if (firstDot < 0 || secondDot < 0 || text.indexOf('.', secondDot + 1) >= 0) return MALFORMED;

  const header = decodeObject(text, 0, firstDot);
  if (header === undefined) return MALFORMED;
  const headerFault = judgeHeader(header.value);
  if (headerFault !== undefined) return { ok: false, reason: headerFault };

  const payload = decodeObject(text, firstDot + 1, secondDot);
  if (payload === undefined) return MALFORMED;
  const { iss } = payload.value;
  const signature = decodeBase64url(text, secondDot + 1);
  if (typeof iss !== 'string' || signature?.length !== SIGNATURE_BYTES) return MALFORMED;

  return {
    ok: true,
    credential: {
      kid: header.value.kid as string,
      iss,
      claims: payload.value,
      claimsText: payload.text,
      signingInput: Buffer.from(text.slice(0, secondDot), 'latin1'),
      signature,
    },
  };
}

/**
 * The header's part of the acceptance rule. The algorithm is judged before `kid` and `typ`, and before the
 * payload is looked at: a header that asks for other processing (`alg`, `crit`, RFC 7797's `b64`) is refused
 * for that, whatever stands in the parts that only such processing could read.
 */
function judgeHeader(header: JsonObject): DecodeFault | undefined {
  if (EMBEDDED_KEY_MEMBERS.some((name) => Object.hasOwn(header, name))) return 'malformed';
  if (typeof header.alg !== 'string') return 'malformed';
  // RFC 9864 names the algorithm Ed25519 and deprecates the polymorphic EdDSA of RFC 8037; issuers use both.
  if (header.alg !== 'Ed25519' && header.alg !== 'EdDSA') return 'alg_not_allowed';
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64')) return 'crit_unsupported';
  if (typeof header.kid !== 'string') return 'malformed';
  if (Object.hasOwn(header, 'typ') && header.typ !== 'JWT') return 'malformed';
  return undefined;
}

function decodeObject(text: string, start: number, end: number) {
  const bytes = decodeBase64url(text, start, end);
  if (bytes === undefined) return undefined;
  const json = parseStrictJsonBytes(bytes);
  return json.ok && isJsonObject(json.value) ? { value: json.value, text: json.text } : undefined;
}
