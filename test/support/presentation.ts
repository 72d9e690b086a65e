/** A synthetic holder's phone: credentials with a holder key, and proofs of it. Nothing here is anybody's. */
import { createHash } from 'node:crypto';
import {
  base64url,
  type Credential,
  credential,
  goodClaims,
  NOW_SECONDS,
  type Signer,
  sealed,
  signerOf,
} from './synthetic-issuer.ts';

export const HOLDER = signerOf('holder 1');
export const PHARMACY = 'https://pharmacy.example';
export const NONCE = 'nonce of the phone';

/** The claim `cnf` that names a signer as the holder. */
export function cnfOf(holder: Signer = HOLDER): { jwk: Record<string, unknown> } {
  return { jwk: { kty: 'OKP', crv: 'Ed25519', x: holder.x } };
}

/** A credential whose holder is `HOLDER`, good at the instant at which tests stand. */
export function heldCredential(more: Record<string, unknown> = {}, of: Credential = {}): string {
  return credential({ ...of, payload: goodClaims({ cnf: cnfOf(), ...more }) });
}

export function sdHashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

export interface Proof {
  readonly holder?: Signer;
  /** Members that replace the default payload's; `undefined` takes one out. */
  readonly claims?: Record<string, unknown>;
  /** Members that replace the default header's, or the header's own text. */
  readonly header?: Record<string, unknown> | string;
  /** The payload's own text, in place of claims. */
  readonly payload?: string;
}

/** A key-binding JWT for the credential, whatever stands in it signed as it stands. */
export function holderProof(
  text: string,
  { holder = HOLDER, claims = {}, header = {}, payload }: Proof = {},
): string {
  const head = typeof header === 'string' ? header : { alg: 'EdDSA', typ: 'kb+jwt', ...header };
  const body = payload ?? {
    iat: NOW_SECONDS,
    aud: PHARMACY,
    nonce: NONCE,
    sd_hash: sdHashOf(text),
    ...claims,
  };
  return sealed(`${base64url(head)}.${base64url(body)}`, holder);
}

/** A card that nobody has shown yet, with a proof of this moment: each by its name, good by the real clock. */
export function shownNow(jti: string): { readonly credential: string; readonly holderProof: string } {
  const nowSeconds = Date.now() / 1000;
  const payload = goodClaims({ jti, cnf: cnfOf() }, Math.floor(nowSeconds));
  const text = credential({ payload });
  return { credential: text, holderProof: holderProof(text, { claims: { iat: nowSeconds, nonce: jti } }) };
}
