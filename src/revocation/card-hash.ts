/**
 * Keyed hashes: the only names by which cards, issuer keys and idempotency keys are known outside memory.
 *
 * HMAC-SHA256 (RFC 2104) truncated to 128 bits, over an encoding no two different inputs share: a domain
 * byte, then each text as tag, byte length and bytes. Nothing is normalised: NFC and NFD, upper and lower
 * case are different identifiers, as they are for the issuer.
 */
import { hmacSha256 } from '../hmac.ts';

export const HASH_BYTES = 16;

/** Those that native code hashes as well, which has the same numbers. */
export const CARD_DOMAINS = { card: 1, holder: 4 } as const;
const DOMAIN_ISSUER_KEY = 2;
const DOMAIN_IDEMPOTENCY = 3;

const TAG_UTF8 = 0;
/** For strings that are no Unicode text: UTF-8 would turn every lone surrogate into U+FFFD. */
const TAG_UTF16LE = 1;

/** Names one card. `key` is the secret's `cardHashKey`. */
export function cardHash(key: Uint8Array, iss: string, jti: string): Buffer {
  return keyedHash(key, CARD_DOMAINS.card, [iss, jti]);
}

/** Names one issuer key, for emergency retirements. `key` is the secret's `cardHashKey`. */
export function issuerKeyHash(key: Uint8Array, iss: string, kid: string): Buffer {
  return keyedHash(key, DOMAIN_ISSUER_KEY, [iss, kid]);
}

/** Names all credentials of one `sub`, for supersedes. `key` is the secret's `cardHashKey`. */
export function holderHash(key: Uint8Array, iss: string, sub: string): Buffer {
  return keyedHash(key, CARD_DOMAINS.holder, [iss, sub]);
}

/** Names one Idempotency-Key. `key` is the secret's `idempotencyKey`. */
export function idempotencyHash(key: Uint8Array, idempotencyKey: string): Buffer {
  return keyedHash(key, DOMAIN_IDEMPOTENCY, [idempotencyKey]);
}

function keyedHash(key: Uint8Array, domain: number, texts: readonly string[]): Buffer {
  let length = 1;
  for (const text of texts) length += 5 + encodedLength(text);
  const message = Buffer.allocUnsafe(length);
  let at = message.writeUInt8(domain, 0);
  for (const text of texts) {
    const wellFormed = isWellFormed(text);
    at = message.writeUInt8(wellFormed ? TAG_UTF8 : TAG_UTF16LE, at);
    at = message.writeUInt32BE(encodedLength(text), at);
    at += message.write(text, at, wellFormed ? 'utf8' : 'utf16le');
  }
  return hmacSha256(key, message).subarray(0, HASH_BYTES);
}

function encodedLength(text: string): number {
  return isWellFormed(text) ? Buffer.byteLength(text, 'utf8') : text.length * 2;
}

/** True when no surrogate stands alone, that is when the string has a UTF-8 encoding. */
function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}
