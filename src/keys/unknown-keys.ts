/**
 * Whether an unknown key id is worth asking the source for: a key just rotated in is, a storm of made-up ids
 * is not. All callers together cause at most one refresh in an interval, and an id that the source is known
 * not to have causes none for a while.
 */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import { MAX_ISS_LENGTH, MAX_KID_LENGTH } from './trust-list-schema.ts';

/** Unknown ids remembered; the least recently seen goes first. About 100 bytes each. */
export const MAX_UNKNOWN_KEYS = 10_000;
/** How long an id stays known as unknown. */
export const UNKNOWN_KEY_TTL_MS = 5 * 60_000;

export interface UnknownKeys {
  /**
   * @param confirmedAtMs monotonic time at which the refresh began that last confirmed the list
   * @returns whether to refresh now; the caller then does
   */
  worthRefresh(iss: string, kid: string, confirmedAtMs: number | undefined): boolean;
  /** Forgets all ids: a new list may have them. The interval runs on. */
  clear(): void;
  readonly size: number;
}

export function createUnknownKeys(clock: Clock, minIntervalMs: number): UnknownKeys {
  /** When each id was first seen, monotonic. A refresh begun at that instant or later has answered it. */
  const seenAtMs = new LRUCache<string, number>({ max: MAX_UNKNOWN_KEYS });
  let refreshedAtMs = -Infinity;
  return {
    worthRefresh(iss, kid, confirmedAtMs) {
      // No admitted list holds such a key, so no refresh can bring it.
      if (kid.length > MAX_KID_LENGTH || iss.length > MAX_ISS_LENGTH) return false;
      const now = clock.monotonicMs();
      const id = digestOf(iss, kid);
      const seen = seenAtMs.get(id);
      if (seen === undefined || now - seen >= UNKNOWN_KEY_TTL_MS) seenAtMs.set(id, now);
      else if (confirmedAtMs !== undefined && seen <= confirmedAtMs) return false;
      if (now - refreshedAtMs < minIntervalMs) return false;
      refreshedAtMs = now;
      return true;
    },
    clear: () => seenAtMs.clear(),
    get size() {
      return seenAtMs.size;
    },
  };
}

/** Ids come from strangers and may be long: the digest bounds what remembering one costs. */
function digestOf(iss: string, kid: string): string {
  return createHash('sha256')
    .update(JSON.stringify([iss, kid]))
    .digest('base64url');
}
