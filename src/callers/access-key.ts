/**
 * Access keys: what a caller shows as a bearer token (RFC 6750 section 2.1). `vigie_`, then base64url of 256 random bits
 * and a checksum: the prefix lets scanners of leaked secrets find one, the checksum lets anybody tell a mistyped key
 * from a wrong one without asking. Only a keyed hash of it is kept, so a stolen file of callers opens nothing.
 */
import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { decodeBase64url } from '../encoding/base64url.ts';
import { hmacSha256 } from '../hmac.ts';

const PREFIX = 'vigie_';
const SECRET_BYTES = 32;
const CHECKSUM_BYTES = 4;
/** All of a key: 54 characters. */
export const ACCESS_KEY_CHARS = PREFIX.length + ((SECRET_BYTES + CHECKSUM_BYTES) * 4) / 3;

/** A new key: shown once, and kept nowhere. */
export function makeAccessKey(random: (bytes: number) => Buffer = randomBytes): string {
  const secret = random(SECRET_BYTES);
  return PREFIX + Buffer.concat([secret, checksumOf(secret)]).toString('base64url');
}

/** Whether it is an access key at all; whether it opens anything only its hash can tell. */
export function isAccessKey(text: string): boolean {
  if (text.length !== ACCESS_KEY_CHARS || !text.startsWith(PREFIX)) return false;
  const bytes = decodeBase64url(text, PREFIX.length);
  if (bytes === undefined) return false;
  return checksumOf(bytes.subarray(0, SECRET_BYTES)).equals(bytes.subarray(SECRET_BYTES));
}

/** What is kept of a key: HMAC-SHA-256 of all its characters, under a key that the deployment's secret gives. */
export function hashAccessKey(hashKey: Uint8Array, accessKey: string): Buffer {
  return hmacSha256(hashKey, Buffer.from(accessKey, 'latin1'));
}

function checksumOf(secret: Uint8Array): Buffer {
  const checksum = Buffer.alloc(CHECKSUM_BYTES);
  checksum.writeUInt32BE(crc32(secret));
  return checksum;
}
