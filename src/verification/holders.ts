/** Asks for the holders of a slice's items, as far as their answer may change something: rows in bulk, others one by one. */
import { CODES } from '../verdict.ts';
import { hasHolder, issuedAt } from './item-claims.ts';
import { CARD_HASH_BYTES, type ReadCredential, type Slice } from './slice.ts';

export interface SupersedeParts {
  /** False as long as no credential is superseded, and nobody need be asked; true before anybody hears of the first. */
  areInForce(): boolean;
  /**
   * Whether the credentials of a holder issued at `iat` (seconds; NaN: it does not say) are superseded; leaves the
   * holder's hash in `hashOut`.
   */
  isSuperseded(iss: string, sub: string, iat: number, hashOut: Uint8Array): boolean | 'unreadable';
}

/** Told of an item whose credential is superseded, or of which that cannot be told. */
type Settle = (item: number, what: true | 'unreadable') => void;

/** Of the first `count` rows that `scratch.holders` names: `settle` is called for each that is not good. */
export type SupersededInBulk = (slice: Slice, count: number, settle: Settle) => void;

/**
 * To be called once the items' own statuses have been asked for. Leaves what was asked in `scratch.holders`, for who
 * looks again later.
 */
export function askHolders(
  slice: Slice,
  supersedes: SupersedeParts,
  inBulk: SupersededInBulk | undefined,
  settle: Settle,
): void {
  const { asked, reasons, read, scratch } = slice;
  const { items, cardHashes, iats } = scratch.holders;
  // Rows come first among those whose status was asked for, and so do they here.
  let rows = 0;
  let count = 0;
  for (let at = 0; at < asked; at++) {
    const item = scratch.items[at] as number;
    if (reasons[item] === CODES.revoked || !hasHolder(slice, item)) continue;
    iats[count] = issuedAt(slice, item);
    items[count++] = item;
    if (read[item] === undefined) rows = count;
  }
  if (rows > 0) {
    if (inBulk === undefined) throw new Error('rows are decoded only where holders can be looked up in bulk');
    inBulk(slice, rows, settle);
  }
  for (let at = rows; at < count; at++) {
    const item = items[at] as number;
    const { iss, claims } = (read[item] as ReadCredential).credential;
    const hashOut = cardHashes.subarray(CARD_HASH_BYTES * at, CARD_HASH_BYTES * (at + 1));
    const what = supersedes.isSuperseded(iss, claims.sub as string, iats[at] as number, hashOut);
    if (what !== false) settle(item, what);
  }
  slice.askedHolders = count;
}
