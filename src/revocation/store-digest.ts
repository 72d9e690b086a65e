/**
 * A digest of a set of entries that does not depend on their order and follows each change in constant time:
 * the sums, modulo 2^32, of the fifteen 32-bit words of (hash, entry). Copies that hold the same entries have
 * the same digest. Its keeper puts a MAC over it; alone it shows accidents, not malice.
 */
import { HASH_BYTES } from './card-hash.ts';
import { ENTRY_BYTES } from './status-entry.ts';

const HASH_WORDS = HASH_BYTES / 4;
const ENTRY_WORDS = ENTRY_BYTES / 4;
export const DIGEST_WORDS = HASH_WORDS + ENTRY_WORDS;

export type StoreDigest = Uint32Array;

export function emptyDigest(): StoreDigest {
  return new Uint32Array(DIGEST_WORDS);
}

/** Adds an entry (`sign` 1) or takes it out (-1). Both arguments have their fixed lengths. */
export function foldEntry(digest: StoreDigest, hash: Buffer, entry: Buffer, sign: 1 | -1): void {
  for (let i = 0; i < HASH_WORDS; i++) {
    digest[i] = (digest[i] as number) + sign * hash.readUInt32BE(i * 4);
  }
  for (let i = 0; i < ENTRY_WORDS; i++) {
    digest[HASH_WORDS + i] = (digest[HASH_WORDS + i] as number) + sign * entry.readUInt32BE(i * 4);
  }
}

export function sameDigest(a: StoreDigest, b: StoreDigest): boolean {
  return a.every((word, i) => word === b[i]);
}
