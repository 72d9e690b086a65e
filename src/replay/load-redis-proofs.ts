/**
 * The way to Redis, whose client takes a tenth of a second and 7 MB to load: of each thread, and only where there is
 * Redis and somebody proves to be there.
 */
import type { RedisProofs } from './redis-proofs.ts';

/** `load` is tried again by each call until it has succeeded; a call for which it fails rejects. */
export function loadRedisProofs(load: () => Promise<RedisProofs>): RedisProofs {
  let loading: Promise<RedisProofs> | undefined;
  let isClosed = false;
  const loaded = (): Promise<RedisProofs> => {
    if (loading !== undefined) return loading;
    loading = load();
    loading.then(
      (proofs) => isClosed && proofs.close(),
      () => {
        loading = undefined;
      },
    );
    return loading;
  };
  return {
    take: async (ids, livesMs, results) => (await loaded()).take(ids, livesMs, results),
    close: () => {
      isClosed = true;
      loading?.then(
        (proofs) => proofs.close(),
        () => {}, // What could not be loaded has nothing to close.
      );
    },
  };
}
