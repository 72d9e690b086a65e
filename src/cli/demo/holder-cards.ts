/** The demo's cards that are bound to a holder: what the phone shows, and the proof that it signs beside it. */
import { randomBytes } from 'node:crypto';
import { signCredential } from '../../issuer/sign-credential.ts';
import { type ProofToSign, signProof } from '../../issuer/sign-proof.ts';
import type { SigningKey } from '../../issuer/signing-key.ts';

/** An issuer that asks for a holder proof and for open rights. */
export const HOLDER_ISSUER = 'https://holder-proof.vigie-demo.invalid';
/** Where its cards may be shown. */
export const PHARMACY = 'https://pharmacy.vigie-demo.invalid';
export const OTHER_PHARMACY = 'https://other-pharmacy.vigie-demo.invalid';

export interface HolderKeys {
  readonly proof: SigningKey;
  /** The phone's. */
  readonly holder: SigningKey;
  /** On no list, and in no card. */
  readonly stranger: SigningKey;
}

const DAY_SECONDS = 86_400;

export function holderIssuerPolicy({ proof }: HolderKeys): object {
  return {
    iss: HOLDER_ISSUER,
    keys: [proof.publicJwk],
    holderProof: 'required',
    audiences: [PHARMACY],
    rights: 'check',
  };
}

export interface HolderCardOptions {
  readonly claims: Readonly<Record<string, unknown>>;
  readonly nowSeconds: number;
  /** Whether the rights are open today. */
  readonly rights: 'open' | 'ended';
}

/** A card of that issuer, bound to the phone's key. */
export function holderCard(keys: HolderKeys, { claims, nowSeconds, rights }: HolderCardOptions): string {
  const { kty, crv, x } = keys.holder.publicJwk;
  // Far enough from today that no time zone and no midnight matters.
  const [from, until] = rights === 'open' ? [-30, 330] : [-395, -30];
  return signCredential({
    key: keys.proof,
    claims: {
      ...claims,
      iss: HOLDER_ISSUER,
      cnf: { jwk: { kty, crv, x } },
      rights: { from: dayAt(nowSeconds, from), until: dayAt(nowSeconds, until) },
    },
  });
}

/** A proof made now for the pharmacy, in which anything may be put otherwise. */
export function proveHolder(
  keys: HolderKeys,
  credential: string,
  otherwise: Partial<ProofToSign> = {},
): string {
  return signProof({
    key: keys.holder,
    credential,
    aud: PHARMACY,
    nonce: randomBytes(16).toString('base64url'),
    iat: Math.floor(Date.now() / 1000),
    ...otherwise,
  });
}

/** A proof that must not hold, of one of four kinds. */
export function falseProof(keys: HolderKeys, credential: string, kind: number): string {
  const faults: readonly Partial<ProofToSign>[] = [
    { aud: OTHER_PHARMACY },
    { key: keys.stranger },
    { credential: `${credential}, or another one` },
    { iat: Math.floor(Date.now() / 1000) - DAY_SECONDS },
  ];
  return proveHolder(keys, credential, faults[kind % faults.length]);
}

function dayAt(nowSeconds: number, days: number): string {
  return new Date((nowSeconds + days * DAY_SECONDS) * 1000).toISOString().slice(0, 10);
}
