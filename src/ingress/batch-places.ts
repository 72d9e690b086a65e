/** What reads a batch's body, and where it puts what it found. */
import { LIMITS } from '../config.ts';
import { NO_PLACE } from '../native/addon.ts';
import type { Slice } from '../verification/slice.ts';
import type { ByteWindow } from './byte-window.ts';
import type { Problem } from './problem.ts';

export interface BatchReader {
  /**
   * Reads on in the window, at most `room` items, and none beyond the one with which `mostBytes` are read: their places
   * go into `places` and hold until the window is appended to. Neither an item nor a byte read: more of the
   * body must come first, or, if nothing `mayFollow`, it is at its end.
   *
   * @returns how many.
   */
  read(window: ByteWindow, places: Places, room: number, mostBytes: number, mayFollow: boolean): number;
  /** At the end of the body: what is wrong with it; `undefined` when all of it was items. */
  fault(window: ByteWindow): Problem | undefined;
}

/** Those of proofs are there for items with `proofCount` above 0 alone. */
export type Places = Pick<Slice, 'starts' | 'ends' | 'proofStarts' | 'proofEnds' | 'proofCount'>;

/** Places item `at`, known to be too long, at the window's start: so much of it says so as well as all of it. */
export function placeTooLong(window: ByteWindow, { starts, ends, proofStarts }: Places, at: number): void {
  starts[at] = window.start;
  ends[at] = window.start + LIMITS.credentialChars + 1;
  proofStarts[at] = NO_PLACE;
}
