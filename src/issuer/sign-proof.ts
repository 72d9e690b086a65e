/**
 * Signs holder proofs: the key-binding JWT (RFC 9901 section 4.3) by which a phone shows that it holds the key
 * that a credential names in `cnf` (RFC 7800), here and now.
 *
 * The gateway signs none: this serves wallets' trials, the demo and tests.
 */
import { createHash } from 'node:crypto';
import { encodeBase64url } from '../encoding/base64url.ts';
import { type JwsAlg, signJws } from './sign-jws.ts';
import type { SigningKey } from './signing-key.ts';

export interface ProofToSign {
  /** The holder's. Its `kid` does not travel: the credential itself says which key must have signed. */
  readonly key: Pick<SigningKey, 'privateKey'>;
  /** The credential's text, to the last character as it will be shown. */
  readonly credential: string;
  /** Whom the proof is for: at anybody else's it is worth nothing. */
  readonly aud: string;
  /** What the verifier gave the phone to sign or, where it gave nothing, anything that no other proof bears. */
  readonly nonce: string;
  /** Instant of signing, seconds since the epoch. */
  readonly iat: number;
  /** Default EdDSA. */
  readonly alg?: JwsAlg;
  /** Header members that replace the default ones, or stand beside them. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** Claims that replace the default ones, or stand beside them. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

export function signProof(proof: ProofToSign): string {
  const { key, credential, aud, nonce, iat, alg = 'EdDSA', header, claims } = proof;
  return signJws(
    { alg, typ: 'kb+jwt', ...header },
    { iat, aud, nonce, sd_hash: sdHash(credential), ...claims },
    key.privateKey,
  );
}

/** What binds a proof to one credential: the SHA-256 of its text. */
function sdHash(credential: string): string {
  return encodeBase64url(createHash('sha256').update(credential, 'utf8').digest());
}
