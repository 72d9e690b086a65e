/**
 * The cards of a batch's items that were found to be good, kept until the answer is given: a body may take a minute to
 * arrive, and what was revoked meanwhile must not be answered `valid`.
 */
import type { CardStatus } from '../card-status.ts';
import { LIMITS } from '../config.ts';
import { CODES } from '../verdict.ts';
import { CARD_HASH_BYTES, type Slice } from '../verification/slice.ts';

/** What the revocation side knows of cards that it was asked for before. */
export interface KnownCards {
  /** Tells from now on whether any look-up may answer otherwise than before. */
  watch(): () => boolean;
  /** By the hash that the look-up left. */
  statusAgain(hash: Uint8Array): CardStatus | 'unreadable';
}

/** An item whose reason is another now, with its code. */
export interface Change {
  readonly item: number;
  readonly code: number;
  /** It is the holder's proof that does not hold any more. */
  readonly proofFails?: boolean;
}

export interface SecondLook {
  /** Keeps the cards of a slice whose first item is the batch's item `first`. */
  keep(slice: Slice, first: number): void;
  heldBytes(): number;
  /**
   * What is no longer `ok` of the batch's reasons. `isExpired`: nothing that is known proves of a card that it is not
   * revoked.
   */
  changes(codes: Uint8Array, isExpired: boolean): Change[];
}

/** Bytes that it may keep for a body of so many bytes, as far as that tells: of ordinary credentials. */
export function cardBytesExpected(contentLength: number): number {
  return (2 * BYTES_KEPT * Math.min(LIMITS.batchItems * CREDENTIAL_BYTES, contentLength)) / CREDENTIAL_BYTES;
}

/** An item's number and its card's hash. */
const BYTES_KEPT = Uint16Array.BYTES_PER_ELEMENT + CARD_HASH_BYTES;
const CREDENTIAL_BYTES = 300;

/** To be made before the first card is looked up. */
export function createSecondLook(cards: KnownCards): SecondLook {
  const hasMoved = cards.watch();
  let items = new Uint16Array(0);
  let hashes = new Uint8Array(0);
  let count = 0;

  const makeRoom = (more: number): void => {
    if (count + more <= items.length) return;
    const room = Math.min(LIMITS.batchItems, 2 * (count + more));
    const [oldItems, oldHashes] = [items, hashes];
    items = new Uint16Array(room);
    hashes = new Uint8Array(CARD_HASH_BYTES * room);
    items.set(oldItems.subarray(0, count));
    hashes.set(oldHashes.subarray(0, CARD_HASH_BYTES * count));
  };
  return {
    keep: ({ asked, scratch }, first) => {
      makeRoom(asked);
      // All that were asked for, in one copy; those found revoked are passed over later.
      hashes.set(scratch.cardHashes.subarray(0, CARD_HASH_BYTES * asked), CARD_HASH_BYTES * count);
      for (let i = 0; i < asked; i++) items[count + i] = first + (scratch.items[i] as number);
      count += asked;
    },
    heldBytes: () => items.byteLength + hashes.byteLength,
    changes: (codes, isExpired) => {
      if (!isExpired && !hasMoved()) return [];
      const changed: Change[] = [];
      for (let i = 0; i < count; i++) {
        const item = items[i] as number;
        if (codes[item] !== CODES.ok) continue;
        const hash = hashes.subarray(CARD_HASH_BYTES * i, CARD_HASH_BYTES * (i + 1));
        const code = codeOf(cards.statusAgain(hash), isExpired);
        if (code !== CODES.ok) changed.push({ item, code });
      }
      return changed;
    },
  };
}

/** As the path judges it (gateway.ts): what is known against a card stands, however old the knowledge is. */
function codeOf(status: CardStatus | 'unreadable', isExpired: boolean): number {
  if (status === 'unreadable') return CODES.revocation_stale;
  if (status !== 'active') return CODES[status];
  return isExpired ? CODES.revocation_stale : CODES.ok;
}
