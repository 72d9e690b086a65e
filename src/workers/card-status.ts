/**
 * A worker's view of the revocation side: the filter first, the store only for what the filter cannot rule
 * out. A filter's negative is final; its positive says nothing until the store has confirmed it.
 */
import type { CardStatus } from '../card-status.ts';
import type { Clock } from '../clock.ts';
import { LIMITS } from '../config.ts';
import type { RevocationView } from '../ingress/verdict-reply.ts';
import type { FilterResult } from '../metrics/counters.ts';
import type { NativeAddon } from '../native/addon.ts';
import { attachFilter, type FilterReader } from '../revocation/bloom-filter.ts';
import { cardHash, holderHash } from '../revocation/card-hash.ts';
import { type CardLookup, createCardLookup, type LookUpArrays } from '../revocation/card-lookup.ts';
import { attachChangeMark } from '../revocation/change-mark.ts';
import { attachCompleteness } from '../revocation/completeness.ts';
import { attachFreshness } from '../revocation/freshness.ts';
import { openStatusReader, type StatusReader } from '../revocation/status-reader.ts';
import { attachSupersedeFlag } from '../revocation/supersede-flag.ts';
import { isSuperseded } from '../revocation/superseded.ts';
import type { SupersededInBulk, SupersedeParts } from '../verification/holders.ts';
import { type CardName, issuedAt } from '../verification/item-claims.ts';
import type { SharedRevocation } from './protocol.ts';

/** Asks for the cards of `count` rows; `settle` is called for each that is not active. */
export type StatusesOf = (
  arrays: LookUpArrays,
  count: number,
  settle: (item: number, status: Exclude<CardStatus, 'active'> | 'unreadable') => void,
) => void;

/** Told what the filter said of so many cards. */
type Told = (result: FilterResult, cards: number) => void;

export interface CardStatusSource {
  /** Leaves the card's hash in `hashOut`. */
  statusOf(iss: string, jti: string, hashOut: Uint8Array): CardStatus | 'unreadable';
  /** The same of the cards of many rows; `settle` is called for each that is not active. Only with native code. */
  statusesOf: StatusesOf;
  /** The same of cards that nobody shows, which must not count as traffic. */
  statusUncounted(iss: string, jti: string, hashOut: Uint8Array): CardStatus | 'unreadable';
  statusesUncounted: StatusesOf;
  /** The status of a card that was looked up before, by the hash that this left. */
  statusAgain(hash: Uint8Array): CardStatus | 'unreadable';
  readonly supersedes: SupersedeParts & {
    /** Only with native code. */
    readonly superseded: SupersededInBulk;
    /** By the hash that a look-up left. */
    supersededAgain(hash: Uint8Array, iat: number): boolean | 'unreadable';
  };
  /** Tells from now on whether any look-up may answer otherwise than before. */
  watch(): () => boolean;
  /** Whether what the copy lacks is not there; else others may know. */
  isComplete(): boolean;
  /**
   * Whether the filter was made by a clock that was ahead: it leaves out cards whose credentials may be in date, so its
   * "no" proves nothing until it is made anew.
   */
  leavesOutLiving(): boolean;
  /** Under which every gateway and the log know the card; and its holder, where that may matter. */
  hashesOf(card: CardName): { readonly card: Buffer; readonly holder: Buffer | undefined };
  /** Asked from now on, and no other. */
  setFilter(shared: SharedArrayBuffer): void;
  view(): RevocationView;
  close(): Promise<void>;
}

/** Opens the view, or says why the store cannot be read from this thread. */
export function openCardStatus(
  shared: SharedRevocation,
  clock: Clock,
  count: Told,
  addon: NativeAddon | undefined,
): { readonly ok: true; readonly source: CardStatusSource } | { readonly ok: false; readonly error: string } {
  const { dir, identity, secret } = shared;
  const completeness = attachCompleteness(shared.completeness);
  const opened = openStatusReader({ dir, identity, secret, completeness });
  if (!opened.ok) return { ok: false, error: `the status store cannot be read: ${opened.fault}` };
  const lookupIn = (reader: FilterReader) => addon && createCardLookup(addon, secret.cardHashKey, reader);
  let filter = attachFilter(shared.filter);
  let lookup = lookupIn(filter);
  const freshness = attachFreshness(clock, shared.freshness);

  /** Of a card that the filter does not rule out. */
  const confirmed = (hash: Buffer, told: Told): CardStatus | 'unreadable' => {
    const answer = opened.reader.statusOf(hash);
    if (answer.status === 'unreadable') told('unreadable', 1);
    // A card whose suspension was lifted has an entry too: the filter was right about it.
    else told(answer.sinceMs === undefined ? 'false_positive' : 'confirmed', 1);
    return answer.status;
  };
  const lookUpHash = (hash: Buffer, told: Told): CardStatus | 'unreadable' => {
    if (filter.mightContain(hash)) return confirmed(hash, told);
    told('negative', 1);
    return 'active';
  };
  const lookUp =
    (told: Told): CardStatusSource['statusOf'] =>
    (iss, jti, hashOut) => {
      const hash = cardHash(secret.cardHashKey, iss, jti);
      hashOut.set(hash);
      return lookUpHash(hash, told);
    };
  const lookUpAll =
    (told: Told): StatusesOf =>
    (arrays, cards, settle) => {
      const positives = lookup?.lookUp(arrays, cards, (item, hash) => {
        const status = confirmed(hash, told);
        if (status !== 'active') settle(item, status);
      });
      if (positives === undefined) throw new Error('cards are looked up in bulk by native code alone');
      told('negative', cards - positives);
    };
  const setFilter = (next: SharedArrayBuffer) => {
    filter = attachFilter(next);
    lookup = lookupIn(filter);
  };
  const { isComplete } = completeness;
  const changes = attachChangeMark(shared.changes);
  const leavesOutLiving = () => filter.leftOutBefore() > clock.wallMs() / 1000 - LIMITS.clockSkewSeconds;
  const supersedes = supersedesOf(shared, opened.reader, () => ({ filter, lookup }));
  const { areInForce } = supersedes;
  const watch = () => {
    const [mark, asked, complete, inForce] = [changes.read(), filter, isComplete(), areInForce()];
    // An audit, or another's filter, may tell of supersedes that no change told of.
    return () =>
      changes.read() !== mark || filter !== asked || isComplete() !== complete || areInForce() !== inForce;
  };
  const hashesOf = ({ iss, jti, sub }: CardName) => ({
    card: cardHash(secret.cardHashKey, iss, jti),
    holder:
      sub !== undefined && supersedes.areInForce() ? holderHash(secret.cardHashKey, iss, sub) : undefined,
  });
  return {
    ok: true,
    source: {
      statusOf: lookUp(count),
      statusesOf: lookUpAll(count),
      statusUncounted: lookUp(() => {}),
      statusesUncounted: lookUpAll(() => {}),
      // The store keeps what it is asked for.
      statusAgain: (hash) => lookUpHash(Buffer.from(hash), count),
      supersedes,
      watch,
      isComplete,
      leavesOutLiving,
      hashesOf,
      setFilter,
      view: freshness.read,
      close: opened.close,
    },
  };
}

/** The same two steps for holders. What the filter says of them is not counted: its figures are of cards. */
function supersedesOf(
  { secret, supersedes }: SharedRevocation,
  reader: StatusReader,
  current: () => { readonly filter: FilterReader; readonly lookup: CardLookup | undefined },
): CardStatusSource['supersedes'] {
  const flag = attachSupersedeFlag(supersedes);
  const confirmed = (hash: Buffer, iat: number) => isSuperseded(reader.supersedeOf(hash), iat);
  return {
    areInForce: flag.isRaised,
    isSuperseded: (iss, sub, iat, hashOut) => {
      const hash = holderHash(secret.cardHashKey, iss, sub);
      hashOut.set(hash);
      return current().filter.mightContain(hash) && confirmed(hash, iat);
    },
    superseded: (slice, count, settle) => {
      const { payloads, rows, scratch } = slice;
      const { lookup } = current();
      if (lookup === undefined) throw new Error('holders are looked up in bulk by native code alone');
      lookup.lookUpHolders({ payloads, rows, scratch: scratch.holders }, count, (item, hash) => {
        const what = confirmed(hash, issuedAt(slice, item));
        if (what !== false) settle(item, what);
      });
    },
    // The store keeps what it is asked for.
    supersededAgain: (hash, iat) => current().filter.mightContain(hash) && confirmed(Buffer.from(hash), iat),
  };
}
