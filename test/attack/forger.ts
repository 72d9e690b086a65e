/**
 * An issuer on the trust list whose private scalar is known, so that signatures can be made that only one rule among the
 * usual ones refuses; and proofs that hold under keys that are nobody's. Synthetic, like every key here.
 */

import { createNobleEngine } from '../../src/signature/noble-engine.ts';
import { GROUP_ORDER } from '../../src/signature/rule.ts';
import { basePointTimes, challenge, scalarBytes, scalarOf } from '../signature/forge.ts';
import { PHARMACY, sdHashOf } from '../support/presentation.ts';
import { base64url } from '../support/synthetic-issuer.ts';

export const FORGER_ISS = 'https://forger.example';
const KID = 'forger';
export const FORGER_SCALAR = scalarOf('forger');
const PUBLIC_KEY = basePointTimes(FORGER_SCALAR).toBytes();
export const FORGER_KEY = {
  kty: 'OKP',
  crv: 'Ed25519',
  kid: KID,
  x: Buffer.from(PUBLIC_KEY).toString('base64url'),
};

/**
 * Signed with R = [r]B + T, spelt as given: S = r + k a, so that [S]B - [k]A = [r]B. Whoever multiplies by the cofactor
 * finds T gone; whoever decodes R finds the spelling gone. With r = 0 and no T nothing but R itself is unusual.
 */
export function forged(claims: object, encodingOfR: Uint8Array, r = 0n): string {
  const input = `${base64url({ alg: 'EdDSA', kid: KID })}.${base64url({ ...claims, iss: FORGER_ISS })}`;
  const k = challenge(encodingOfR, PUBLIC_KEY, Buffer.from(input));
  const s = scalarBytes((r + k * FORGER_SCALAR) % GROUP_ORDER);
  return `${input}.${Buffer.concat([encodingOfR, s]).toString('base64url')}`;
}

const R = scalarOf('proof');
const ENCODING_OF_R = basePointTimes(R).toBytes();
/** Of order eight, one nonce in eight will do. */
const MOST_NONCES = 500;

/**
 * A holder's proof for the credential, of this moment, made without the key's secret: S = r, and nonces are tried until
 * [k]A is the identity, which it soon is where A is of low order. Where A is [a]B, S = r + k a as honest holders have it.
 * An engine says that the signature holds, so whoever refuses it does so for its key.
 */
export function forgedProof(text: string, publicKey: Uint8Array, a = 0n): string {
  const engine = createNobleEngine({ keyCacheBytes: 64 * 1024 });
  const header = base64url({ alg: 'EdDSA', typ: 'kb+jwt' });
  const made = { iat: Date.now() / 1000, aud: PHARMACY, sd_hash: sdHashOf(text) };
  for (let nonce = 0; nonce < MOST_NONCES; nonce++) {
    const input = `${header}.${base64url({ ...made, nonce: `${nonce}` })}`;
    const message = Buffer.from(input);
    const s = scalarBytes((R + challenge(ENCODING_OF_R, publicKey, message) * a) % GROUP_ORDER);
    const signature = Buffer.concat([ENCODING_OF_R, s]);
    const [holds] = engine.verify([{ publicKey, signature, message }]);
    if (holds === 1) return `${input}.${signature.toString('base64url')}`;
  }
  throw new Error('no nonce gives a proof that holds');
}
