/**
 * The canary's credentials: of an issuer that exists in this process's memory alone. Its keys are made at start,
 * never stored, and never leave the process; what they sign goes to the workers and nowhere else.
 */
import { randomUUID } from 'node:crypto';
import { signCredential } from '../issuer/sign-credential.ts';
import { generateSigningKey } from '../issuer/signing-key.ts';
import type { TrustedIssuer } from '../keys/trusted-key.ts';
import type { CanaryProbe } from '../workers/canary.ts';

export const CANARY_ISS = 'urn:vigie:canary';
/** One card for a deployment: under its secret, this is one entry, whoever records it and however often. */
export const REVOKED_JTI = 'known-revoked';

/** Much longer than an answer may take, so that a clock that is set does not make a good one look expired. */
const LIFE_SECONDS = 3_600;

/** Signs anew for each round: nothing has to be renewed in time, and no answer can come from a memory of the last. */
export function createCanaryCredentials(): (nowMs: number, withRevoked: boolean) => CanaryProbe {
  const key = generateSigningKey();
  const forger = { ...generateSigningKey(), kid: key.kid };
  const { kid, publicJwk } = key;
  const publicKey = Buffer.from(publicJwk.x, 'base64url');
  const issuer: TrustedIssuer = {
    iss: CANARY_ISS,
    keys: [{ iss: CANARY_ISS, kid, publicKey, retired: false }],
    holderProof: 'none',
    audiences: [],
    rights: 'ignore',
    types: [],
  };
  return (nowMs, withRevoked) => {
    // No iat: a clock set back after the signing would make it a credential of the future. The mark has callers
    // refused who show it, whatever a trust list says.
    const exp = Math.floor(nowMs / 1000) + LIFE_SECONDS;
    const round = randomUUID();
    const sign = (jti: string, by = key): string =>
      signCredential({ key: by, claims: { iss: CANARY_ISS, jti, exp, test: true, round } });
    return {
      issuer,
      good: sign(`good-${round}`),
      forged: sign(`forged-${round}`, forger),
      ...(withRevoked && { revoked: sign(REVOKED_JTI) }),
    };
  };
}
