/** The acceptance rule for compact JWS (SECURITY.md), written once more with nothing of the gateway's decoder. */
import { base64urlOf, isObject, jsonOf, type Members } from './strict-text.ts';

export type ModelJws =
  | {
      readonly ok: true;
      readonly kid: string;
      readonly iss: string;
      readonly claims: Members;
      readonly signature: string;
    }
  | { readonly ok: false; readonly reason: string };

const refused = (reason: string): ModelJws => ({ ok: false, reason });
const KEY_MEMBERS = /^(?:jwk|jku|x5c|x5u)$/;

export function modelJws(text: string, maxChars: number): ModelJws {
  const parts = text.split('.');
  const [first = '', second = '', third = ''] = parts;
  if (text.length > maxChars || parts.length !== 3) return refused('malformed');
  const header = partOf(first);
  if (header === undefined || Object.keys(header).some((name) => KEY_MEMBERS.test(name)))
    return refused('malformed');
  const { alg } = header;
  if (typeof alg !== 'string') return refused('malformed');
  if (!['EdDSA', 'Ed25519'].includes(alg)) return refused('alg_not_allowed');
  const names = Object.keys(header);
  if (names.includes('crit') || names.includes('b64')) return refused('crit_unsupported');
  const { kid } = header;
  if (typeof kid !== 'string' || (names.includes('typ') && header.typ !== 'JWT')) return refused('malformed');
  const claims = partOf(second);
  const signature = base64urlOf(third);
  if (claims === undefined || signature?.length !== 64) return refused('malformed');
  const { iss } = claims;
  if (typeof iss !== 'string') return refused('malformed');
  return { ok: true, kid, iss, claims, signature: signature.toString('hex') };
}

function partOf(text: string): Members | undefined {
  const bytes = base64urlOf(text);
  const value = bytes && jsonOf(bytes);
  return isObject(value) ? value : undefined;
}
