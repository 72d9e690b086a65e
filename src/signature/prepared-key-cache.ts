/**
 * Prepared public keys, least recently used first out, bounded in bytes.
 *
 * Keyed by the 32 raw bytes of the key and by nothing else: a kid may name two keys (two issuers, a
 * rotation), the bytes never do.
 */
import { LRUCache } from 'lru-cache';
import type { KeyCacheStats } from './engine.ts';

export interface PreparedKeyCache<Prepared extends object> {
  /** The prepared form of a 32-byte key, from the cache or made now. The bytes are not kept. */
  get(publicKey: Uint8Array): Prepared;
  /** The same of a key that nobody will ask for again: it displaces none, and is not counted. */
  once(publicKey: Uint8Array): Prepared;
  /** Live: its members change as the cache is used. */
  readonly stats: Readonly<KeyCacheStats>;
}

export interface PreparedKeyCacheOptions<Prepared extends object> {
  /** Bytes the cache may hold; at least one key's cost. */
  readonly maxBytes: number;
  /** What one entry costs, its key and the cache's own bookkeeping included: a constant, an upper bound. */
  readonly bytesPerKey: number;
  /** Called once for each key not held; must not throw, so it has a form for keys that do not decode. */
  readonly prepare: (publicKey: Uint8Array) => Prepared;
}

/** @throws RangeError when not even one key fits: a cache that never holds anything is a wrong setting. */
export function createPreparedKeyCache<Prepared extends object>(
  options: PreparedKeyCacheOptions<Prepared>,
): PreparedKeyCache<Prepared> {
  const { maxBytes, bytesPerKey, prepare } = options;
  if (!Number.isSafeInteger(maxBytes) || maxBytes < bytesPerKey) {
    throw new RangeError(`the key cache needs a whole number of bytes, ${bytesPerKey} or more`);
  }
  const counts = { hits: 0, misses: 0, evictions: 0 };
  const cache = new LRUCache<string, Prepared>({
    maxSize: maxBytes,
    sizeCalculation: () => bytesPerKey,
    dispose: (_prepared, _key, reason) => {
      if (reason === 'evict') counts.evictions++;
    },
  });
  return {
    get(publicKey) {
      const key = rawBytesAsText(publicKey);
      const held = cache.get(key);
      if (held !== undefined) {
        counts.hits++;
        return held;
      }
      counts.misses++;
      const prepared = prepare(publicKey);
      cache.set(key, prepared);
      return prepared;
    },
    once: (publicKey) => cache.peek(rawBytesAsText(publicKey)) ?? prepare(publicKey),
    stats: {
      get hits() {
        return counts.hits;
      },
      get misses() {
        return counts.misses;
      },
      get evictions() {
        return counts.evictions;
      },
      get keys() {
        return cache.size;
      },
      get bytes() {
        return cache.calculatedSize;
      },
    },
  };
}

/** One character a byte (latin1): injective, and V8 stores it in one byte a character. */
function rawBytesAsText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
