/**
 * The cards of a batch's items that were found to be good, and their holders, kept until the answer is given: a body may
 * take a minute to arrive, and what was revoked or superseded meanwhile must not be answered `valid`.
 */
import type { CardStatus } from '../card-status.ts';
import { LIMITS } from '../config.ts';
import { CODES } from '../verdict.ts';
import { CARD_HASH_BYTES, type Slice, type SliceScratch } from '../verification/slice.ts';

/** What the revocation side knows of cards and holders that it was asked for before. */
export interface KnownCards {
  /** Tells from now on whether any look-up may answer otherwise than before. */
  watch(): () => boolean;
  /** By the hash that the look-up left. */
  statusAgain(hash: Uint8Array): CardStatus | 'unreadable';
  readonly supersedes: {
    areInForce(): boolean;
    /** By the hash that the look-up left, and when the credential was issued. */
    supersededAgain(hash: Uint8Array, iat: number): boolean | 'unreadable';
  };
}

/** An item whose reason is another now, with its code. */
export interface Change {
  readonly item: number;
  readonly code: number;
  /** It is the holder's proof that does not hold any more. */
  readonly proofFails?: boolean;
}

export interface SecondLook {
  /** Keeps the cards of a slice whose first item is the batch's item `first`, and the holders asked for. */
  keep(slice: Slice, first: number): void;
  heldBytes(): number;
  /**
   * What is no longer `ok` of the batch's reasons. `isExpired`: nothing that is known proves of a credential that it is
   * not revoked.
   */
  changes(codes: Uint8Array, isExpired: boolean): Change[];
}

/**
 * Bytes that it may keep for a body of so many bytes, as far as that tells: of ordinary credentials. `more`: what is kept
 * of each item elsewhere.
 */
export function cardBytesExpected(contentLength: number, { supersedes }: KnownCards, more = 0): number {
  const bytesKept = CARD_BYTES_KEPT + (supersedes.areInForce() ? HOLDER_BYTES_KEPT : 0) + more;
  return (2 * bytesKept * Math.min(LIMITS.batchItems * CREDENTIAL_BYTES, contentLength)) / CREDENTIAL_BYTES;
}

/** An item's number and its card's hash. */
const CARD_BYTES_KEPT = Uint16Array.BYTES_PER_ELEMENT + CARD_HASH_BYTES;
/** The same of its holder, and when it was issued. */
const HOLDER_BYTES_KEPT = CARD_BYTES_KEPT + Float64Array.BYTES_PER_ELEMENT;
const CREDENTIAL_BYTES = 300;

/** To be made before the first card or holder is looked up. */
export function createSecondLook(known: KnownCards): SecondLook {
  const { supersedes } = known;
  const hasMoved = known.watch();
  const cards = createKeptHashes();
  const holders = createKeptHashes();
  let iats = new Float64Array(0);
  /** Items whose holders nobody was asked for, because nothing was superseded yet: these came first. */
  let unasked = 0;

  const keepHolders = ({ scratch, askedHolders = 0 }: Slice, first: number): void => {
    const from = holders.count();
    holders.keep(scratch.holders, askedHolders, first);
    if (holders.room() > iats.length) {
      const old = iats;
      iats = new Float64Array(holders.room());
      iats.set(old.subarray(0, from));
    }
    iats.set(scratch.holders.iats.subarray(0, askedHolders), from);
  };
  return {
    keep: (slice, first) => {
      // All that were asked for; those found revoked are passed over later.
      cards.keep(slice.scratch, slice.asked, first);
      if (slice.askedHolders === undefined) unasked = cards.count();
      else keepHolders(slice, first);
    },
    heldBytes: () => cards.heldBytes() + holders.heldBytes() + iats.byteLength,
    changes: (codes, isExpired) => {
      if (!isExpired && !hasMoved()) return [];
      const changed = new Map<number, number>();
      for (let at = 0; at < holders.count(); at++) {
        const item = holders.item(at);
        if (codes[item] !== CODES.ok) continue;
        const what = supersedes.supersededAgain(holders.hash(at), iats[at] as number);
        if (what !== false) changed.set(item, what === true ? CODES.revoked : CODES.revocation_stale);
      }
      // Of whom nobody kept the holder, nobody can tell now that holders matter: the first supersede came in between.
      const cannotTell = supersedes.areInForce() ? unasked : 0;
      for (let at = 0; at < cards.count(); at++) {
        const item = cards.item(at);
        const ofHolder = at < cannotTell ? CODES.revocation_stale : changed.get(item);
        if (codes[item] !== CODES.ok || ofHolder === CODES.revoked) continue;
        const code = codeOf(known.statusAgain(cards.hash(at)), ofHolder, isExpired);
        if (code !== CODES.ok) changed.set(item, code);
      }
      return [...changed].map(([item, code]): Change => ({ item, code }));
    },
  };
}

/** Hashes by the items that they are of, kept in the order in which they come. */
function createKeptHashes() {
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
    /** Those of a slice whose first item is the batch's item `first`, in one copy. */
    keep: (asked: Pick<SliceScratch, 'items' | 'cardHashes'>, more: number, first: number): void => {
      makeRoom(more);
      hashes.set(asked.cardHashes.subarray(0, CARD_HASH_BYTES * more), CARD_HASH_BYTES * count);
      for (let i = 0; i < more; i++) items[count + i] = first + (asked.items[i] as number);
      count += more;
    },
    count: () => count,
    room: () => items.length,
    item: (at: number) => items[at] as number,
    hash: (at: number) => hashes.subarray(CARD_HASH_BYTES * at, CARD_HASH_BYTES * (at + 1)),
    heldBytes: () => items.byteLength + hashes.byteLength,
  };
}

/**
 * As the path judges it (gateway.ts): what is known against a card stands, however old the knowledge is; but of one
 * whose holder cannot be told (`ofHolder`) nothing less is said than that it is revoked.
 */
function codeOf(status: CardStatus | 'unreadable', ofHolder: number | undefined, isExpired: boolean): number {
  if (status === 'revoked') return CODES.revoked;
  if (ofHolder !== undefined || status === 'unreadable') return CODES.revocation_stale;
  if (status === 'suspended') return CODES.suspended;
  return isExpired ? CODES.revocation_stale : CODES.ok;
}
