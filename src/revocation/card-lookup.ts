/**
 * Keyed hashes and filter look-ups of many cards at once, by native code: the same hashes as `card-hash.ts`, the same
 * answers as `bloom-filter.ts`.
 */
import type { NativeAddon } from '../native/addon.ts';
import { type FilterReader, filterWords } from './bloom-filter.ts';
import { CARD_DOMAINS, HASH_BYTES } from './card-hash.ts';

/** Arrays of a slice; see NativeAddon.lookUpCards. */
export interface LookUpArrays {
  readonly payloads: Uint8Array;
  readonly rows: Uint32Array;
  readonly scratch: {
    /** The rows asked about. */
    readonly items: Uint32Array;
    readonly cardHashes: Uint8Array;
    readonly bytes: Uint8Array;
  };
}

/** Calls `perhaps` for each row that the filter does not rule out, with its hash; returns how many. */
type LookUp = (arrays: LookUpArrays, count: number, perhaps: (item: number, hash: Buffer) => void) => number;

export interface CardLookup {
  readonly lookUp: LookUp;
  /** The same by the rows' holders; each row named has a `sub`. */
  readonly lookUpHolders: LookUp;
}

/** `key` is the secret's `cardHashKey`. */
export function createCardLookup(addon: NativeAddon, key: Uint8Array, filter: FilterReader): CardLookup {
  const hasher = addon.createCardHasher(key);
  const words = filterWords(filter);
  const { bits, hashes } = filter;
  const lookUpIn =
    (domain: number): LookUp =>
    ({ payloads, rows, scratch }, count, perhaps) => {
      const { items, cardHashes, bytes } = scratch;
      const arrays = [payloads, rows, items, count, cardHashes, bytes] as const;
      const positives = addon.lookUpCards(hasher, words, bits, hashes, ...arrays, domain);
      for (let at = 0, left = positives; left > 0; at++) {
        if (bytes[at] === 0) continue;
        left--;
        const hash = Buffer.from(cardHashes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES));
        perhaps(items[at] as number, hash);
      }
      return positives;
    };
  return { lookUp: lookUpIn(CARD_DOMAINS.card), lookUpHolders: lookUpIn(CARD_DOMAINS.holder) };
}
