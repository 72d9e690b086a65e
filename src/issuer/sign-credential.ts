/** Signs credentials: a JWT (RFC 7519) as a JWS in compact serialization (RFC 7515 section 7.1). */
import { sign } from 'node:crypto';
import { encodeBase64url } from '../encoding/base64url.ts';
import type { SigningKey } from './signing-key.ts';

export interface CredentialToSign {
  readonly key: Pick<SigningKey, 'kid' | 'privateKey'>;
  /** The payload, signed as it stands: nothing is added and nothing is checked. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** RFC 8037 names the algorithm EdDSA, RFC 9864 Ed25519; verifiers take both. Default EdDSA. */
  readonly alg?: 'EdDSA' | 'Ed25519';
  /** Header members that replace the default ones, or stand beside them. */
  readonly header?: Readonly<Record<string, unknown>>;
}

export function signCredential({ key, claims, alg = 'EdDSA', header }: CredentialToSign): string {
  const protectedHeader = { alg, typ: 'JWT', kid: key.kid, ...header };
  const signingInput = `${encodeJson(protectedHeader)}.${encodeJson(claims)}`;
  const signature = sign(null, Buffer.from(signingInput, 'latin1'), key.privateKey);
  return `${signingInput}.${encodeBase64url(signature)}`;
}

function encodeJson(value: unknown): string {
  return encodeBase64url(Buffer.from(JSON.stringify(value), 'utf8'));
}
