/** Signs credentials: a JWT (RFC 7519) as a compact JWS. */
import { type JwsAlg, signJws } from './sign-jws.ts';
import type { SigningKey } from './signing-key.ts';

export interface CredentialToSign {
  readonly key: Pick<SigningKey, 'kid' | 'privateKey'>;
  /** The payload, signed as it stands: nothing is added and nothing is checked. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Default EdDSA. */
  readonly alg?: JwsAlg;
  /** Header members that replace the default ones, or stand beside them. */
  readonly header?: Readonly<Record<string, unknown>>;
}

export function signCredential({ key, claims, alg = 'EdDSA', header }: CredentialToSign): string {
  return signJws({ alg, typ: 'JWT', kid: key.kid, ...header }, claims, key.privateKey);
}
