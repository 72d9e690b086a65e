/**
 * Keys that were looked up, with their callers, since a key's keyed hash costs as much as a tenth of a single call. A part
 * of what was sent finds an entry; all of it is compared, in a time that does not say how much of it was right.
 */
import { LRUCache } from 'lru-cache';
import type { KnownCaller } from '../callers/caller-index.ts';

export interface RememberedKey {
  readonly caller: KnownCaller;
  /** Milliseconds since the epoch; infinite: it does not expire. */
  readonly expiresAtMs: number;
}

export interface RememberedKeys {
  find(authorization: string): RememberedKey | undefined;
  keep(authorization: string, key: RememberedKey): void;
  /** Whatever was looked up is looked up again. */
  forget(): void;
}

/** Both keys of as many callers as a file may name. Only keys in force are kept, so guesses push none out. */
const MOST_KEYS = 2_000;
/**
 * `Bearer vigie_` and eight characters of the key: 48 of its 256 bits. More would cost time, and what the time of a look-up
 * in a hash table says would be said of more.
 */
const FINDING_CHARS = 'Bearer vigie_'.length + 8;

export function createRememberedKeys(): RememberedKeys {
  const entries = new LRUCache<string, RememberedKey & { readonly authorization: string }>({
    max: MOST_KEYS,
  });
  return {
    find: (authorization) => {
      const entry = entries.get(authorization.slice(0, FINDING_CHARS));
      return entry !== undefined && isSame(entry.authorization, authorization) ? entry : undefined;
    },
    keep: (authorization, key) => {
      entries.set(authorization.slice(0, FINDING_CHARS), { ...key, authorization });
    },
    forget: () => entries.clear(),
  };
}

/** Lengths are no secret. */
function isSame(one: string, other: string): boolean {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (let i = 0; i < one.length; i++) difference |= one.charCodeAt(i) ^ other.charCodeAt(i);
  return difference === 0;
}
