/**
 * When the copy was last known to be whole, on the wall clock and on disk: so that a gateway that starts while
 * the shared log cannot be reached can say how old its knowledge is, instead of nothing.
 *
 * Written at most every few seconds, so the age after a restart is overstated by so much at most, and understated
 * only by as much as the wall clock was set back meanwhile. An instant in the future says nothing.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { StatusStore } from '../status-store.ts';

const META_CONFIRMED = Buffer.from('confirmed');
const MAC_AT = 8;
const MAC_BYTES = 16;
/** One synced transaction each: a thousandth of the time. */
const SAVE_INTERVAL_MS = 10_000;

export interface LastConfirmed {
  /** Age of what the store remembers, in milliseconds; `undefined`: nothing, or nothing that can be. */
  recallAgeMs(nowWallMs: number): number | undefined;
  /** To be told of each confirmation, by the wall clock of before its check began. */
  note(wallMs: number): void;
  /** Writes what was noted last, if anything is to be written. */
  flush(): void;
}

export function createLastConfirmed(store: StatusStore): LastConfirmed {
  const { db, secret } = store;
  let savedMs = Number.NEGATIVE_INFINITY;
  let notedMs = Number.NEGATIVE_INFINITY;
  const flush = () => {
    if (notedMs === savedMs || notedMs === Number.NEGATIVE_INFINITY) return;
    const wallMs = notedMs;
    const written = store.transact(() => {
      db.meta.putSync(META_CONFIRMED, encode(secret.entryMacKey, wallMs));
      return { commit: true, value: undefined };
    });
    // Else tried again with the next one: to remember less is safe.
    if (written.ok) savedMs = wallMs;
  };
  return {
    recallAgeMs: (nowWallMs) => {
      const bytes = db.meta.get(META_CONFIRMED);
      if (bytes?.length !== MAC_AT + MAC_BYTES) return undefined;
      if (!timingSafeEqual(bytes.subarray(MAC_AT), mac(secret.entryMacKey, bytes))) return undefined;
      const ageMs = nowWallMs - bytes.readDoubleBE(0);
      return ageMs >= 0 ? ageMs : undefined;
    },
    note: (wallMs) => {
      notedMs = wallMs;
      // Also when the clock was set back: the newer word is the truer one.
      if (Math.abs(wallMs - savedMs) >= SAVE_INTERVAL_MS) flush();
    },
    flush,
  };
}

function encode(macKey: Uint8Array, wallMs: number): Buffer {
  const bytes = Buffer.alloc(MAC_AT + MAC_BYTES);
  bytes.writeDoubleBE(wallMs, 0);
  mac(macKey, bytes).copy(bytes, MAC_AT);
  return bytes;
}

function mac(macKey: Uint8Array, bytes: Buffer): Buffer {
  const hmac = createHmac('sha256', macKey).update('vigie/1/confirmed');
  return hmac.update(bytes.subarray(0, MAC_AT)).digest().subarray(0, MAC_BYTES);
}
