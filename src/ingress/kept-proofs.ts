/**
 * The proofs of a batch's items that were found to be good, kept by their names until the answer is given: they are taken
 * all at once then, in the order sent. A batch that is refused at its end, or whose client leaves, has used up none.
 */
import { LIMITS } from '../config.ts';
import type { ReplayGuard } from '../replay/replay-guard.ts';
import { CODES } from '../verdict.ts';
import { namedProofs, takeAll } from '../verification/replays.ts';
import type { Slice } from '../verification/slice.ts';
import { PROOF_ID_BYTES } from '../verification/slice-proofs.ts';
import type { Change } from './second-look.ts';
import { askOthers } from './share-proofs.ts';

export interface KeptProofs {
  /** Keeps the proofs of a slice whose first item is the batch's item `first`. */
  keep(slice: Slice, first: number): void;
  heldBytes(): number;
  /** Items whose proofs are kept and not taken yet. */
  items(): Uint16Array;
  /** Takes the places of those whose items are still `ok`; what is not `ok` any more. */
  take(codes: Uint8Array): Change[];
  /** What other gateways say of those that were taken; `undefined` where nobody is to be asked. */
  share(): Promise<SharedProofs> | undefined;
}

export interface SharedProofs {
  readonly changes: readonly Change[];
  /** Items about which nobody could be asked. */
  readonly local: readonly number[];
}

const BYTES_KEPT = Uint16Array.BYTES_PER_ELEMENT + PROOF_ID_BYTES + Float64Array.BYTES_PER_ELEMENT;

export function createKeptProofs(guard: ReplayGuard, wallMs: () => number): KeptProofs {
  let room = 0;
  let items = new Uint16Array(0);
  let ids = new Uint8Array(0);
  let expiresAtMs = new Float64Array(0);
  let count = 0;

  const makeRoom = (more: number): void => {
    if (count + more <= room) return;
    room = Math.min(LIMITS.batchItems, 2 * (count + more));
    const old = { items, ids, expiresAtMs };
    items = new Uint16Array(room);
    ids = new Uint8Array(PROOF_ID_BYTES * room);
    expiresAtMs = new Float64Array(room);
    items.set(old.items.subarray(0, count));
    ids.set(old.ids.subarray(0, PROOF_ID_BYTES * count));
    expiresAtMs.set(old.expiresAtMs.subarray(0, count));
  };
  return {
    keep: (slice, first) => {
      const named = namedProofs(slice);
      if (named === undefined) return;
      makeRoom(named.count);
      ids.set(named.ids.subarray(0, PROOF_ID_BYTES * named.count), PROOF_ID_BYTES * count);
      expiresAtMs.set(named.expiresAtMs.subarray(0, named.count), count);
      for (let at = 0; at < named.count; at++) items[count + at] = first + (named.items[at] as number);
      count += named.count;
    },
    heldBytes: () => BYTES_KEPT * room,
    items: () => items.slice(0, count),
    take: (codes) => {
      const changes: Change[] = [];
      count = takeAll({ count, items, ids, expiresAtMs }, guard, wallMs(), codes, (item, code) => {
        changes.push({ item, code, proofFails: true });
      });
      return changes;
    },
    share: () =>
      askOthers({ ids, expiresAtMs, count }, guard)?.then((answers) => {
        const taken = Array.from(items.subarray(0, count));
        const seen = taken.filter((_, at) => answers[at] === 'seen');
        const changes = seen.map((item) => ({ item, code: CODES.replayed, proofFails: true }));
        return { changes, local: taken.filter((_, at) => answers[at] === 'unreachable') };
      }),
  };
}

/** Bytes that it may keep for a body of so many bytes, as far as that tells: of ordinary presentations. */
export function proofBytesExpected(contentLength: number): number {
  return (
    (2 * BYTES_KEPT * Math.min(LIMITS.batchItems * PRESENTATION_BYTES, contentLength)) / PRESENTATION_BYTES
  );
}

const PRESENTATION_BYTES = 900;
