/**
 * An issuer on the trust list whose private scalar is known, so that signatures can be made that only one rule among the
 * usual ones refuses. Synthetic, like every key here.
 */

import { GROUP_ORDER } from '../../src/signature/rule.ts';
import { basePointTimes, challenge, scalarBytes, scalarOf } from '../signature/forge.ts';
import { base64url } from '../support/synthetic-issuer.ts';

export const FORGER_ISS = 'https://forger.example';
const KID = 'forger';
const SCALAR = scalarOf('forger');
const PUBLIC_KEY = basePointTimes(SCALAR).toBytes();
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
  const s = scalarBytes((r + k * SCALAR) % GROUP_ORDER);
  return `${input}.${Buffer.concat([encodingOfR, s]).toString('base64url')}`;
}
