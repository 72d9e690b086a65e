/** A synthetic issuer: keys, credentials and trust lists for tests. Nothing here is anybody's. */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { buildTrustIndex, type TrustIndex } from '../../src/keys/trust-index.ts';
import type { TrustedIssuer, TrustedKey } from '../../src/keys/trusted-key.ts';

export const ISS = 'https://issuer.example';
export const KID = '2026-a';

/** 2026-06-01T00:00:00Z: the instant at which tests with a fixed clock stand (seconds since the epoch). */
export const NOW_SECONDS = 1_780_272_000;

export interface Signer {
  readonly kid: string;
  readonly privateKey: KeyObject;
  /** JWK member `x`. */
  readonly x: string;
}

/** The signer that a label gives, the same in every run. */
export function signerOf(label: string, kid: string = KID): Signer {
  const seed = createHash('sha256').update(`synthetic ${label}`).digest();
  // RFC 8410 section 7: the fixed head of a PKCS #8 Ed25519 key before its 32 bytes.
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return { kid, privateKey, x: spki.subarray(-32).toString('base64url') };
}

export const SIGNER = signerOf('issuer a');

/** Claims of a credential that is good at `nowSeconds`. */
export function goodClaims(more: Record<string, unknown> = {}, nowSeconds = NOW_SECONDS) {
  return { iss: ISS, jti: 'card-1', sub: 'holder-1', exp: nowSeconds + 3_600, ...more };
}

export interface Credential {
  /** An object, or the payload's own text or bytes. */
  readonly payload?: unknown;
  /** Members that replace the default header's, or the header's own text. */
  readonly header?: Record<string, unknown> | string;
  readonly signer?: Signer;
}

/** A compact JWS; whatever stands in it is signed as it stands. */
export function credential({
  payload = goodClaims(),
  header = {},
  signer = SIGNER,
}: Credential = {}): string {
  const head = typeof header === 'string' ? header : { alg: 'EdDSA', kid: signer.kid, ...header };
  return sealed(`${base64url(head)}.${base64url(payload)}`, signer);
}

/** Signs any text as the first two segments. */
export function sealed(signingInput: string, signer: Signer = SIGNER): string {
  return `${signingInput}.${sign(null, Buffer.from(signingInput), signer.privateKey).toString('base64url')}`;
}

/** Texts and bytes as they stand, anything else as JSON. */
export function base64url(content: unknown): string {
  if (content instanceof Uint8Array) return Buffer.from(content).toString('base64url');
  return Buffer.from(typeof content === 'string' ? content : JSON.stringify(content)).toString('base64url');
}

/** The same credential with one bit of its signature's S turned over: still 64 bytes, still canonical text. */
export function tampered(text: string): string {
  const at = text.lastIndexOf('.') + 1;
  const signature = Buffer.from(text.slice(at), 'base64url');
  signature[40] = (signature[40] as number) ^ 1;
  return text.slice(0, at) + signature.toString('base64url');
}

export function trustedKey(signer: Signer, more: Partial<TrustedKey> = {}): TrustedKey {
  const publicKey = Buffer.from(signer.x, 'base64url');
  return { iss: ISS, kid: signer.kid, publicKey, retired: false, ...more };
}

export function trustedIssuer(more: Partial<TrustedIssuer> = {}): TrustedIssuer {
  const keys = [trustedKey(SIGNER)];
  return { iss: ISS, keys, holderProof: 'none', audiences: [], rights: 'ignore', types: [], ...more };
}

export function trustIndex(issuers: readonly TrustedIssuer[] = [trustedIssuer()], version = 7): TrustIndex {
  return buildTrustIndex({ version, issuers });
}
