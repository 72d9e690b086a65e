/** Synthetic issuers, keys and lists for the tests of the trust list; nothing here is anybody's. */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Point } from '@noble/ed25519';
import { onTestFinished } from 'vitest';

export const ISS = 'https://issuer.example';

/** The key pair that a label gives, the same in every run. */
export function keyPair(label: string): { privateKey: KeyObject; x: string; raw: Uint8Array } {
  const seed = createHash('sha256').update(label).digest();
  // RFC 8410: the fixed head of a PKCS #8 Ed25519 key before its 32 bytes.
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const x = createPublicKey(privateKey)
    .export({ format: 'der', type: 'spki' })
    .subarray(-32)
    .toString('base64url');
  return { privateKey, x, raw: Buffer.from(x, 'base64url') };
}

export interface JwkEntry {
  kty: string;
  crv: string;
  kid: string;
  x: string;
  [member: string]: unknown;
}

export function jwk(kid: string, more: Record<string, unknown> = {}): JwkEntry {
  return { kty: 'OKP', crv: 'Ed25519', kid, x: keyPair(kid).x, ...more };
}

export function document(version: number, kids: readonly string[] = ['a'], iss = ISS) {
  return { version, issuers: [{ iss, keys: kids.map((kid) => jwk(kid)) }] };
}

export function bytes(value: unknown): Buffer {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
}

/** A compact JWS of a payload. */
export function signedList(payload: unknown, signer: KeyObject, header: unknown = { alg: 'EdDSA' }): string {
  const input = `${bytes(header).toString('base64url')}.${bytes(payload).toString('base64url')}`;
  return `${input}.${sign(null, Buffer.from(input), signer).toString('base64url')}`;
}

export function verifyWithNode(publicKey: Uint8Array, signature: Uint8Array, message: Uint8Array): boolean {
  const x = Buffer.from(publicKey).toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return verify(null, message, key, signature);
}

/** The eight points whose order divides the cofactor, from a generator of them found by arithmetic. */
export function smallOrderPoints(): Point[] {
  const generator = torsionGenerator();
  const points = [Point.ZERO];
  while (points.length < 8) points.push((points.at(-1) as Point).add(generator));
  return points;
}

function torsionGenerator(): Point {
  const l = Point.CURVE().n;
  for (let y = 2n; ; y++) {
    let point: Point;
    try {
      point = Point.fromBytes(encodeY(y));
    } catch {
      continue;
    }
    // [L]P kills the part of prime order; `multiply` wants less than L.
    const torsion = point.multiply(l - 1n, false).add(point);
    if (!torsion.double().double().is0()) return torsion;
  }
}

/** Little-endian y with the sign bit as bit 255 (RFC 8032 section 5.1.2). */
export function encodeY(y: bigint, sign = 0n): Uint8Array {
  return Buffer.from((y | (sign << 255n)).toString(16).padStart(64, '0'), 'hex').reverse();
}

export const P = 2n ** 255n - 19n;

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'vigie-trust-'));
}

/** A server on loopback whose answer the test may change; closed when the test ends. */
export async function serve(listener: RequestListener): Promise<{ url: string; requests: () => number }> {
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/list`, requests: () => requests };
}
