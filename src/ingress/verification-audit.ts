/**
 * What is told of verifications to their audit: who asked, about which card, and the reason given. Told when the answer is
 * certain; cards are taken down before, as their slice is used again.
 */
import { LIMITS } from '../config.ts';
import { cardHashesOf, type HashOfCard } from '../verification/card-hashes.ts';
import { CARD_HASH_BYTES, type Slice } from '../verification/slice.ts';
import type { Exchange } from './exchange.ts';

export interface VerificationAudit {
  readonly hashOfCard: HashOfCard;
  /** As audit/verification-trail.ts has it. */
  note(atMs: number, caller: string | undefined, code: number, hashes?: Uint8Array, from?: number): void;
}

/** Bytes kept for each item of a batch. */
export const AUDITED_ITEM_BYTES = CARD_HASH_BYTES + 1;

/** The cards of a call, or of calls that were gathered. */
export interface AuditedCards {
  /** Takes down the cards of a slice whose first item is the call's item `first`. */
  keep(slice: Slice, first: number): void;
  heldBytes(): number;
  /** Tells of all of them, with their reasons by item; `exchangeOf` gives the call that an item belongs to. */
  tell(atMs: number, codes: Uint8Array, exchangeOf: (item: number) => Exchange): void;
}

export function createAuditedCards(audit: VerificationAudit): AuditedCards {
  let hashes = new Uint8Array(0);
  let isNamed = new Uint8Array(0);
  const makeRoom = (items: number): void => {
    if (items <= isNamed.length) return;
    // The first slice alone is all of most calls.
    const room = isNamed.length === 0 ? items : Math.min(LIMITS.batchItems, 2 * items);
    const [oldHashes, oldNamed] = [hashes, isNamed];
    hashes = new Uint8Array(CARD_HASH_BYTES * room);
    isNamed = new Uint8Array(room);
    hashes.set(oldHashes);
    isNamed.set(oldNamed);
  };
  return {
    keep: (slice, first) => {
      makeRoom(first + slice.count);
      cardHashesOf(
        slice,
        audit.hashOfCard,
        hashes.subarray(CARD_HASH_BYTES * first),
        isNamed.subarray(first),
      );
    },
    heldBytes: () => hashes.byteLength + isNamed.byteLength,
    tell: (atMs, codes, exchangeOf) => {
      for (let item = 0; item < codes.length; item++) {
        const caller = exchangeOf(item).caller?.name;
        const code = codes[item] as number;
        if (isNamed[item] === 1) audit.note(atMs, caller, code, hashes, CARD_HASH_BYTES * item);
        else audit.note(atMs, caller, code);
      }
    },
  };
}
