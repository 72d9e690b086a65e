/** Waiting that ends: for what another thread may never answer. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Whether it settles within so long; it goes on by itself where it does not. Rejects when it does. */
export async function settlesWithin(settling: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  const deadline = new AbortController();
  try {
    return await Promise.race([
      settling.then(() => true),
      sleep(timeoutMs, false, { signal: deadline.signal, ref: false }),
    ]);
  } finally {
    deadline.abort();
  }
}
