/** The keyed hashes of a slice's cards, by item, for whoever tells of them when the slice is no more what it was. */
import { HOLDS } from '../native/fields.ts';
import { cardNameAt } from './item-claims.ts';
import { CARD_HASH_BYTES, type Slice } from './slice.ts';

/** Hash of the card by its issuer and its credential's id. */
export type HashOfCard = (iss: string, jti: string) => Uint8Array;

/**
 * Writes the hash of item i to `hashes` at `CARD_HASH_BYTES * i` and 1 to `isNamed[i]`, of the items whose signature holds;
 * of the others 0, for nobody vouches for what they say. To be called when the path has ended, before another slice.
 */
export function cardHashesOf(
  slice: Slice,
  hashOfCard: HashOfCard,
  hashes: Uint8Array,
  isNamed: Uint8Array,
): void {
  const { count, holds, asked, scratch } = slice;
  isNamed.fill(0, 0, count);
  for (let at = 0; at < asked; at++) {
    const item = scratch.items[at] as number;
    const hash = scratch.cardHashes.subarray(CARD_HASH_BYTES * at, CARD_HASH_BYTES * (at + 1));
    hashes.set(hash, CARD_HASH_BYTES * item);
    isNamed[item] = 1;
  }
  // Few: those that were refused between their signature and their status, which alone asks for a hash.
  for (let item = 0; item < count; item++) {
    if (isNamed[item] === 1 || ((holds[item] as number) & HOLDS.issuer) === 0) continue;
    const { iss, jti } = cardNameAt(slice, item);
    // Of what the reference read, a claim may be of any type: then its reason is `malformed`.
    if (typeof jti !== 'string' || jti === '') continue;
    hashes.set(hashOfCard(iss, jti), CARD_HASH_BYTES * item);
    isNamed[item] = 1;
  }
}
