import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decodeJws } from '../../src/credential/jws.ts';
import { signCredential } from '../../src/issuer/sign-credential.ts';
import { generateSigningKey } from '../../src/issuer/signing-key.ts';

const key = generateSigningKey('2026-a');
const claims = { iss: 'https://issuer.invalid', jti: 'é-1', exp: 1_900_000_000, note: 'synthetic' };

function headerOf(credential: string): unknown {
  return JSON.parse(Buffer.from(credential.split('.')[0] ?? '', 'base64url').toString('utf8'));
}

describe('signCredential', () => {
  it('makes a compact JWS that the gateway decodes and whose signature holds', () => {
    const decoded = decodeJws(signCredential({ key, claims }), 65_536);
    expect(decoded.ok).toBe(true);
    if (!decoded.ok) return;
    const { kid, iss, claimsText, signature, signingInput } = decoded.credential;
    expect([kid, iss, claimsText]).toEqual(['2026-a', claims.iss, JSON.stringify(claims)]);
    expect(verify(null, signingInput, createPublicKey(key.privateKey), signature)).toBe(true);
  });

  it('writes the header that RFC 8037 and RFC 7519 describe', () => {
    expect(headerOf(signCredential({ key, claims }))).toEqual({ alg: 'EdDSA', typ: 'JWT', kid: '2026-a' });
    expect(headerOf(signCredential({ key, claims, alg: 'Ed25519' }))).toMatchObject({ alg: 'Ed25519' });
  });

  it('lets header members be replaced and added', () => {
    const header = { kid: 'other', crit: ['x'] };
    expect(headerOf(signCredential({ key, claims, header }))).toEqual({
      alg: 'EdDSA',
      typ: 'JWT',
      kid: 'other',
      crit: ['x'],
    });
  });

  it('is deterministic, as Ed25519 is (RFC 8032 section 5.1.6)', () => {
    expect(signCredential({ key, claims })).toBe(signCredential({ key, claims }));
  });
});
