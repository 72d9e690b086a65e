/**
 * Signed trust lists: where a key is pinned (setting `VIGIE_TRUST_LIST_KEY_FILE`), the source must be a
 * compact JWS (RFC 7515 section 7.1) of that key, and the list is its payload. Then no unsigned list passes.
 */
import { decodeBase64url } from '../encoding/base64url.ts';
import { isJsonObject, parseStrictJsonBytes } from '../encoding/strict-json.ts';
import { issuerKeyFault } from './key-admission.ts';
import { refuse, type TrustRefusal } from './trust-refusal.ts';

/** Whether a signature holds under the acceptance rule; wiring hands in an engine's. */
export type VerifySignature = (publicKey: Uint8Array, signature: Uint8Array, message: Uint8Array) => boolean;

/** Reads the pinned key: a JWK of an Ed25519 public key (RFC 8037 section 2). Other members are its owner's. */
export function parsePinnedKey(
  bytes: Uint8Array,
): { readonly ok: true; readonly publicKey: Uint8Array } | { readonly ok: false; readonly fault: string } {
  const json = parseStrictJsonBytes(bytes);
  if (!json.ok) return { ok: false, fault: json.fault };
  const jwk = json.value;
  if (!isJsonObject(jwk)) return { ok: false, fault: 'not a JWK' };
  if (Object.hasOwn(jwk, 'd')) return { ok: false, fault: 'holds a private key; give the public one alone' };
  if (jwk.kty !== 'OKP' || jwk.crv !== 'Ed25519') return { ok: false, fault: 'not an OKP key on Ed25519' };
  const x = typeof jwk.x === 'string' ? decodeBase64url(jwk.x) : undefined;
  if (x?.length !== 32) return { ok: false, fault: 'x: not the strict base64url of 32 bytes' };
  const fault = issuerKeyFault(x);
  if (fault !== undefined) return { ok: false, fault: `x: ${fault}` };
  return { ok: true, publicKey: new Uint8Array(x) };
}

/** The list inside a JWS of the pinned key, or why there is none. */
export function openSignedList(
  raw: Uint8Array,
  publicKey: Uint8Array,
  verify: VerifySignature,
): { readonly ok: true; readonly payload: Uint8Array } | TrustRefusal {
  const refuseSigned = (fault: string) => refuse('bad_signature', fault);
  // Latin-1 keeps each byte apart, so that no other byte passes for one of the alphabet. Files end in a line
  // feed; one is no part of the JWS.
  const text = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('latin1').replace(/\n$/, '');
  const headerEnd = text.indexOf('.');
  const payloadEnd = text.indexOf('.', headerEnd + 1);
  if (headerEnd < 0 || payloadEnd < 0 || text.includes('.', payloadEnd + 1)) {
    return refuseSigned('not a compact JWS: a pinned key is set, the list must be signed');
  }
  const header = decodeBase64url(text, 0, headerEnd);
  const payload = decodeBase64url(text, headerEnd + 1, payloadEnd);
  const signature = decodeBase64url(text, payloadEnd + 1);
  if (header === undefined || payload === undefined || signature === undefined) {
    return refuseSigned('not a compact JWS: a segment is not strict base64url');
  }
  const headerFault = faultOfHeader(header);
  if (headerFault !== undefined) return refuseSigned(headerFault);
  if (signature.length !== 64) return refuseSigned('the signature is not 64 bytes');
  if (!verify(publicKey, signature, Buffer.from(text.slice(0, payloadEnd), 'latin1'))) {
    return refuseSigned('the signature does not hold under the pinned key');
  }
  return { ok: true, payload };
}

/** Extensions change what is signed, embedded keys who signed: neither is for the document to say. */
const FORBIDDEN_MEMBERS = ['crit', 'b64', 'jwk', 'jku', 'x5c', 'x5u'];

function faultOfHeader(bytes: Uint8Array): string | undefined {
  const json = parseStrictJsonBytes(bytes);
  if (!json.ok) return `header: ${json.fault}`;
  const header = json.value;
  if (!isJsonObject(header)) return 'header: not an object';
  if (header.alg !== 'Ed25519' && header.alg !== 'EdDSA') return 'header: alg is not Ed25519 or EdDSA';
  const forbidden = FORBIDDEN_MEMBERS.find((name) => Object.hasOwn(header, name));
  return forbidden === undefined ? undefined : `header: ${forbidden} is not allowed`;
}
