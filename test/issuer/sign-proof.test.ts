/** Holder proofs, judged here by node:crypto and the RFCs' own words, not by the gateway's code. */
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { signCredential } from '../../src/issuer/sign-credential.ts';
import { type ProofToSign, signProof } from '../../src/issuer/sign-proof.ts';
import { generateSigningKey } from '../../src/issuer/signing-key.ts';

const issuer = generateSigningKey('2026-a');
const holder = generateSigningKey();
const { kty, crv, x } = holder.publicJwk;
const CREDENTIAL = signCredential({
  key: issuer,
  claims: { iss: 'https://issuer.invalid', jti: 'card-1', exp: 1_900_000_000, cnf: { jwk: { kty, crv, x } } },
});
const GIVEN = {
  key: holder,
  credential: CREDENTIAL,
  aud: 'https://pharmacie-été.invalid',
  nonce: 'nonce-1',
  iat: 1_795_000_000,
};

function parts(jws: string) {
  const [header = '', payload = '', signature = '', ...more] = jws.split('.');
  expect(more).toEqual([]);
  const json = (segment: string) => JSON.parse(Buffer.from(segment, 'base64url').toString('utf8'));
  return { header: json(header), payload: json(payload), signature, signingInput: `${header}.${payload}` };
}
/** RFC 8037 section 3.1: the signature of RFC 8032 over the JWS signing input (RFC 7515 section 5.1). */
function holdsBy(jws: string, publicKey: KeyObject): boolean {
  const { signingInput, signature } = parts(jws);
  return verify(null, Buffer.from(signingInput, 'ascii'), publicKey, Buffer.from(signature, 'base64url'));
}

describe('signProof', () => {
  const proof = signProof(GIVEN);

  it('bears the type, algorithm and claims that RFC 9901 section 4.3 asks for, and nothing else', () => {
    const { header, payload } = parts(proof);
    expect(header).toEqual({ alg: 'EdDSA', typ: 'kb+jwt' });
    const sdHash = createHash('sha256').update(Buffer.from(CREDENTIAL, 'ascii')).digest('base64url');
    expect(payload).toEqual({ iat: GIVEN.iat, aud: GIVEN.aud, nonce: 'nonce-1', sd_hash: sdHash });
  });

  it('is spelt in base64url without padding (RFC 7515 section 2)', () => {
    expect(proof).toMatch(/^[\w-]+\.[\w-]+\.[\w-]{86}$/);
    for (const segment of proof.split('.')) {
      expect(Buffer.from(segment, 'base64url').toString('base64url')).toBe(segment);
    }
  });

  it('holds under the key that the credential names in cnf (RFC 7800 section 3.2), and under no other', () => {
    const { jwk } = parts(CREDENTIAL).payload.cnf;
    expect(holdsBy(proof, createPublicKey({ key: jwk, format: 'jwk' }))).toBe(true);
    expect(holdsBy(proof, createPublicKey(issuer.privateKey))).toBe(false);
  });

  it.each<[string, Partial<ProofToSign>]>([
    ['another credential', { credential: `${CREDENTIAL}~` }],
    ['another pharmacy', { aud: 'https://elsewhere.invalid' }],
    ['another nonce', { nonce: 'nonce-2' }],
    ['another instant', { iat: GIVEN.iat + 1 }],
  ])('is another one for %s', (_what, more) => {
    const other = signProof({ ...GIVEN, ...more });
    expect(parts(other).payload).not.toEqual(parts(proof).payload);
    expect(holdsBy(other, createPublicKey(holder.privateKey))).toBe(true);
  });

  it('lets alg, header members and claims be replaced and added', () => {
    const odd = signProof({
      ...GIVEN,
      alg: 'Ed25519',
      header: { typ: 'JWT', kid: 'k' },
      claims: { sd_hash: 'x', more: 1 },
    });
    expect(parts(odd).header).toEqual({ alg: 'Ed25519', typ: 'JWT', kid: 'k' });
    expect(parts(odd).payload).toMatchObject({ sd_hash: 'x', more: 1, aud: GIVEN.aud });
  });
});
