/**
 * An item of a batch's envelope that is an object, while it is read. Its strings are kept in the window until its end is
 * there, in whatever order they come; everything else of it is dropped.
 */
import { NO_PLACE } from '../native/addon.ts';
import type { Places } from './batch-places.ts';
import type { ByteWindow } from './byte-window.ts';
import type { Member } from './envelope-tokens.ts';

/** A string's bytes, by their place behind the window's start. */
interface Kept {
  readonly member: Member;
  at: number;
  readonly length: number;
}

export interface OpenItem {
  /** Whose value comes next. */
  named: Member | undefined;
  /** In the order in which they came. */
  readonly kept: Kept[];
}

export function openItem(): OpenItem {
  return { named: undefined, kept: [] };
}

export function membersOf({ kept }: OpenItem): Member[] {
  return kept.map(({ member }) => member);
}

/**
 * Keeps the value of the member named, which stands at `start` and has so many bytes; `ahead` bytes of the window are
 * kept already, the first one where the first string begins. Of a value that is too long none are, for it says as much.
 */
export function keep(item: OpenItem, window: ByteWindow, start: number, length: number): void {
  if (item.kept.length === 0) window.start = start;
  item.kept.push({ member: item.named as Member, at: start - window.start, length });
  item.named = undefined;
}

/** Places the item as number `at`; the window's start may then move on. */
export function placeItem({ kept }: OpenItem, { start }: ByteWindow, places: Places, at: number): void {
  places.proofStarts[at] = NO_PLACE;
  for (const { member, at: behind, length } of kept) {
    const begin = start + behind;
    if (member === 'credential') {
      places.starts[at] = begin;
      places.ends[at] = begin + length;
    } else {
      places.proofStarts[at] = begin;
      places.proofEnds[at] = begin + length;
      places.proofCount++;
    }
  }
}

/** Moves what is kept to where reading goes on, `ahead` bytes behind the window's start; returns how many bytes it is. */
export function compact({ kept }: OpenItem, window: ByteWindow, ahead: number): number {
  const { bytes, start } = window;
  const bytesKept = kept.reduce((sum, { length }) => sum + length, 0);
  let end = start + ahead;
  // The last one first: each moves up, and none onto one that has not moved yet.
  for (const string of kept.toReversed()) {
    const from = start + string.at;
    end -= string.length;
    bytes.copyWithin(end, from, from + string.length);
  }
  window.start = end;
  let at = 0;
  for (const string of kept) {
    string.at = at;
    at += string.length;
  }
  return bytesKept;
}
