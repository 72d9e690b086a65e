/** Signs a holder proof: a key-binding JWT (RFC 9901 section 4.3) over one credential, as a phone would. */
import { createHash, type KeyObject, randomBytes, sign } from 'node:crypto';
import { PHARMACY } from './credentials.ts';

export interface ProofClaims {
  /** Seconds since the epoch. */
  readonly iat: number;
  readonly aud?: string;
}

const HEADER = Buffer.from('{"alg":"EdDSA","typ":"kb+jwt"}').toString('base64url');

/** No two have the same nonce, so each may be accepted once; all have the same length. */
export function signHolderProof(
  credential: string,
  holder: KeyObject,
  { iat, aud = PHARMACY }: ProofClaims,
): string {
  const nonce = randomBytes(16).toString('base64url');
  const sdHash = createHash('sha256').update(credential).digest('base64url');
  const payload = JSON.stringify({ iat, aud, nonce, sd_hash: sdHash });
  const signingInput = `${HEADER}.${Buffer.from(payload).toString('base64url')}`;
  return `${signingInput}.${sign(null, Buffer.from(signingInput, 'latin1'), holder).toString('base64url')}`;
}
