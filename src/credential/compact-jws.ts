/**
 * A JWS in compact serialization (RFC 7515 section 7.1), taken apart: what credentials and holder proofs have in common.
 * Nothing here is trusted yet.
 */
import { decodeBase64url } from '../encoding/base64url.ts';
import { isJsonObject, type JsonObject, parseStrictJsonBytes } from '../encoding/strict-json.ts';

export interface CompactJws {
  readonly header: JsonObject;
  readonly payload: JsonObject;
  /** The payload as it was written. */
  readonly payloadText: string;
  /** The text begins with so many characters of `header.payload`, which are what was signed (RFC 7515 section 5.2). */
  readonly signingInputChars: number;
  /** 64 bytes: R || S. */
  readonly signature: Uint8Array;
}

export type JwsFault = 'malformed' | 'alg_not_allowed' | 'crit_unsupported';

export type ParsedJws =
  | { readonly ok: true; readonly jws: CompactJws }
  | { readonly ok: false; readonly reason: JwsFault };

const MALFORMED: ParsedJws = { ok: false, reason: 'malformed' };
const SIGNATURE_BYTES = 64;

/**
 * Header members that bring or point to a key (RFC 7515 sections 4.1.2, 4.1.3, 4.1.5, 4.1.6). A key comes from the
 * trust list, or from what a key of the list has signed: such a header is refused, and nothing it names is ever fetched.
 */
const EMBEDDED_KEY_MEMBERS = ['jwk', 'jku', 'x5c', 'x5u'];

/**
 * Takes a text of at most `maxChars` characters apart. `judgeNames` says of a header whose algorithm is allowed whether
 * its other members are as they must be.
 */
export function parseCompactJws(
  text: string,
  maxChars: number,
  judgeNames: (header: JsonObject) => boolean,
): ParsedJws {
  if (text.length > maxChars) return MALFORMED;
  const firstDot = text.indexOf('.');
  const secondDot = text.indexOf('.', firstDot + 1);
  if (firstDot < 0 || secondDot < 0 || text.indexOf('.', secondDot + 1) >= 0) return MALFORMED;

  const header = decodeObject(text, 0, firstDot);
  if (header === undefined) return MALFORMED;
  const headerFault = judgeHeader(header.value);
  if (headerFault !== undefined) return { ok: false, reason: headerFault };
  if (!judgeNames(header.value)) return MALFORMED;

  const payload = decodeObject(text, firstDot + 1, secondDot);
  if (payload === undefined) return MALFORMED;
  const signature = decodeBase64url(text, secondDot + 1);
  if (signature?.length !== SIGNATURE_BYTES) return MALFORMED;
  return {
    ok: true,
    jws: {
      header: header.value,
      payload: payload.value,
      payloadText: payload.text,
      signingInputChars: secondDot,
      signature,
    },
  };
}

/**
 * The header's part of the acceptance rule. The algorithm is judged before any other member, and before the payload is
 * looked at: a header that asks for other processing (`alg`, `crit`, RFC 7797's `b64`) is refused for that, whatever
 * stands in the parts that only such processing could read.
 */
function judgeHeader(header: JsonObject): JwsFault | undefined {
  if (EMBEDDED_KEY_MEMBERS.some((name) => Object.hasOwn(header, name))) return 'malformed';
  if (typeof header.alg !== 'string') return 'malformed';
  // RFC 9864 names the algorithm Ed25519 and deprecates the polymorphic EdDSA of RFC 8037; both are in use.
  if (header.alg !== 'Ed25519' && header.alg !== 'EdDSA') return 'alg_not_allowed';
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64')) return 'crit_unsupported';
  return undefined;
}

function decodeObject(text: string, start: number, end: number) {
  const bytes = decodeBase64url(text, start, end);
  if (bytes === undefined) return undefined;
  const json = parseStrictJsonBytes(bytes);
  return json.ok && isJsonObject(json.value) ? { value: json.value, text: json.text } : undefined;
}
