/** What a thread has taken, on its way to the journal: gathered for some milliseconds, so that it costs next to nothing. */
import { ID_BYTES } from './taking.ts';

/** Id and, in little-endian order, the wall-clock time at which its life ends (a double, ms). */
export const NOTE_BYTES = ID_BYTES + Float64Array.BYTES_PER_ELEMENT;

export interface TakenNotes {
  /** The id is the 16 bytes from `at` on (0 unless said). */
  note(ids: Uint8Array, expiresAtMs: number, at?: number): void;
  /** Sends what is gathered, now. */
  flush(): void;
}

const GATHER_MS = 5;
/** While many come: to hand notes over and to write them costs as much for a thousand as for one. */
const BUSY_GATHER_MS = 20;
/** So many at once are many. */
const BUSY_NOTES = 64;
const GATHERED_NOTES = 4_096;

/** `send` may keep the bytes. */
export function createTakenNotes(send: (notes: Uint8Array) => void): TakenNotes {
  let gathered = Buffer.alloc(0);
  let length = 0;
  /** By the monotonic clock: until then the next note is one of many; the first behind a pause is not. */
  let busyUntilMs = 0;
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    busyUntilMs = length >= BUSY_NOTES * NOTE_BYTES ? performance.now() + BUSY_GATHER_MS : 0;
    // A copy of its own size: what is sent to another thread is sent with all of its memory.
    if (length > 0) send(new Uint8Array(gathered.subarray(0, length)));
    length = 0;
  };
  const gatherMs = (): number => (performance.now() < busyUntilMs ? BUSY_GATHER_MS : GATHER_MS);
  return {
    note: (ids, expiresAtMs, at = 0) => {
      if (gathered.length === 0) gathered = Buffer.alloc(GATHERED_NOTES * NOTE_BYTES);
      for (let i = 0; i < ID_BYTES; i++) gathered[length + i] = ids[at + i] as number;
      gathered.writeDoubleLE(expiresAtMs, length + ID_BYTES);
      length += NOTE_BYTES;
      if (length === gathered.length) flush();
      else timer ??= setTimeout(flush, gatherMs());
    },
    flush,
  };
}
