/**
 * An Ed25519 signing key, an issuer's or a holder's: made, kept in a file, and given out as JWK (RFC 7517,
 * RFC 8037 section 2).
 *
 * The gateway never holds such a key, except the demo issuer's: this serves issuers' and wallets' trials and tests.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { decodeBase64url, encodeBase64url } from '../encoding/base64url.ts';
import { isJsonObject, type JsonValue, parseStrictJsonBytes } from '../encoding/strict-json.ts';
import { writeNewPrivateFile } from './private-file.ts';

/** The public half without a name, as a credential's `cnf` holds it (RFC 7800 section 3.2). */
export interface HolderJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  /** The 32 raw bytes of the public key, base64url. */
  readonly x: string;
}

/** The public half, as it stands in a trust list. */
export interface PublicJwk extends HolderJwk {
  readonly kid: string;
}

export interface PrivateJwk extends PublicJwk {
  /** The 32 bytes of the private key (RFC 8032 section 5.1.5), base64url. */
  readonly d: string;
}

export interface SigningKey {
  readonly kid: string;
  readonly publicJwk: PublicJwk;
  readonly privateKey: KeyObject;
}

export type SigningKeyResult =
  | { readonly ok: true; readonly key: SigningKey }
  | { readonly ok: false; readonly fault: string };

/** Of either half of an Ed25519 key (RFC 8032 section 5.1.5). */
const KEY_BYTES = 32;

/** Makes a key. Without a `kid` it gets its thumbprint, which two different keys never share. */
export function generateSigningKey(kid?: string): SigningKey {
  return signingKeyOf(generateKeyPairSync('ed25519').privateKey, kid);
}

export function privateJwkOf(key: SigningKey): PrivateJwk {
  // RFC 8410 section 7: the key's 32 bytes end its PKCS #8 form.
  const pkcs8 = key.privateKey.export({ format: 'der', type: 'pkcs8' });
  return { ...key.publicJwk, d: encodeBase64url(pkcs8.subarray(-KEY_BYTES)) };
}

/** RFC 7638 section 3: SHA-256 over the required members, in lexicographic order, without white space. */
export function jwkThumbprint(x: string): string {
  return encodeBase64url(createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest());
}

/** Writes the private JWK, readable by its owner alone. Never overwrites: a lost issuer key is lost for good. */
export function writeSigningKeyFile(path: string, key: SigningKey): 'written' | 'exists' {
  return writeNewPrivateFile(path, `${JSON.stringify(privateJwkOf(key))}\n`);
}

/** Reads a private JWK. Faults name the file and what is wrong with it, never what stands in it. */
export function readSigningKeyFile(path: string): SigningKeyResult {
  const read = readJwkFile(path);
  return read.ok ? signingKeyFrom(path, read.members) : read;
}

/**
 * Reads the public half of a JWK, whether its private half stands beside it or not: an issuer is only ever given
 * the former. Whether it is a sound point of the curve is not looked at.
 */
export function readHolderJwkFile(
  path: string,
): { readonly ok: true; readonly jwk: HolderJwk } | { readonly ok: false; readonly fault: string } {
  const read = readJwkFile(path);
  if (!read.ok) return read;
  const { kty, crv, x, d } = read.members;
  if (d !== undefined) {
    const signing = signingKeyFrom(path, read.members);
    if (!signing.ok) return signing;
  }
  if (decodeBase64url(x)?.length !== KEY_BYTES)
    return { ok: false, fault: `${path} has an x that is no key` };
  return { ok: true, jwk: { kty, crv, x } };
}

type JwkMembers = HolderJwk & { readonly kid?: JsonValue; readonly d?: JsonValue };

function readJwkFile(
  path: string,
): { readonly ok: true; readonly members: JwkMembers } | { readonly ok: false; readonly fault: string } {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    return { ok: false, fault: `${path} cannot be read (${(error as NodeJS.ErrnoException).code})` };
  }
  const json = parseStrictJsonBytes(bytes);
  if (!json.ok) return { ok: false, fault: `${path} is no JWK: ${json.fault}` };
  if (!isJsonObject(json.value)) return { ok: false, fault: `${path} is no JWK: not a JSON object` };
  const { kty, crv, x, ...others } = json.value;
  if (kty !== 'OKP' || crv !== 'Ed25519') return { ok: false, fault: `${path} is no OKP key on Ed25519` };
  if (typeof x !== 'string') return { ok: false, fault: `${path} is no JWK: it has no x` };
  return { ok: true, members: { ...others, kty, crv, x } };
}

function signingKeyFrom(path: string, { kty, crv, kid, x, d }: JwkMembers): SigningKeyResult {
  if (typeof d !== 'string') return { ok: false, fault: `${path} is no private JWK` };
  if (kid !== undefined && (typeof kid !== 'string' || kid === '')) {
    return { ok: false, fault: `${path} has a kid that is not a non-empty string` };
  }
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey({ key: { kty, crv, x, d }, format: 'jwk' });
  } catch {
    return { ok: false, fault: `${path} holds no usable Ed25519 key` };
  }
  const key = signingKeyOf(privateKey, kid);
  // OpenSSL takes `d` and derives the public key: an `x` of another key would sign what nobody can verify.
  if (key.publicJwk.x !== x) return { ok: false, fault: `${path} has an x that does not belong to its d` };
  return { ok: true, key };
}

function signingKeyOf(privateKey: KeyObject, kid: string | undefined): SigningKey {
  // RFC 8410 section 4: they end its SubjectPublicKeyInfo. Not by JWK: exporting one of a key just made can lock
  // Node 20 up, when the garbage collector frees the key's other half meanwhile.
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const x = encodeBase64url(spki.subarray(-KEY_BYTES));
  const name = kid ?? jwkThumbprint(x);
  return { kid: name, publicJwk: { kty: 'OKP', crv: 'Ed25519', kid: name, x }, privateKey };
}
