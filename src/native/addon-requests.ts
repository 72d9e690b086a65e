/** What the addon offers on the requests and connections of uWebSockets.js, where its own means do not reach. */

export type HeadTableHandle = { readonly heads: unique symbol };

/** Places in a table of heads. */
export const HEAD_PLACES = 64;
/**
 * What `findHead` answers with is one number, since an array to be filled costs more than all the rest: the place, 0 to
 * HEAD_PLACES - 1, these marks, and the length of the body (bytes) in units of `lengthUnit`.
 */
export const FOUND_HEAD = {
  hasRequestId: HEAD_PLACES,
  hasAuthorization: 2 * HEAD_PLACES,
  /** The body was put into the room. */
  hasLanded: 4 * HEAD_PLACES,
  lengthUnit: 8 * HEAD_PLACES,
} as const;
/** What `headFault` says, by its number; the first is nothing. */
export const HEAD_FAULTS = [
  undefined,
  'a header has no name',
  'a value begins or ends with bytes beyond ASCII',
] as const;

/** The part of the addon's exports; what is said of errors in addon.ts holds here. */
export interface RequestFunctions {
  /**
   * What was read from its connection behind this chunk of a body, as a place in BEHIND. To be asked only of what
   * uWebSockets.js hands to `onData`, during the call.
   */
  standsBehind(chunk: ArrayBuffer): number;
  /**
   * The response's connection, as a number that no other has while it is open. To be asked only while the parser calls, and
   * of a build whose memory is known (admission/peers.ts); an Error where it cannot be reached.
   */
  connectionOf(response: object): number;
  /** A table of heads of requests, for one thread; undefined where a request's memory cannot be reached. */
  createHeadTable(): HeadTableHandle | undefined;
  /**
   * Looks for a head that differs from this request's in nothing that matters but its variables (see
   * ingress/native/head-table.h). To be asked only while the request is handled, and of a build whose memory is known
   * (head-reader.ts).
   *
   * Where the body was read together with the head, with nothing behind it, has `most` bytes at most, and room in `room`
   * from `at` on, it is put there.
   *
   * @returns what was found, packed as FOUND_HEAD says; -1 when there is none, or its body is longer than can be packed.
   */
  findHead(table: HeadTableHandle, request: object, room: Uint8Array, at: number, most: number): number;
  /** Puts this request's head into the table, in the place of another perhaps. -1: it is of no kind that is kept. */
  learnHead(table: HeadTableHandle, request: object): number;
  /**
   * What is wrong with this request's head and `forEach` does not show, as a place in HEAD_FAULTS. To be asked as
   * `findHead` is; an Error where a request's memory cannot be reached.
   */
  headFault(request: object): number;
}
