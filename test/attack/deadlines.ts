/** Every wait ends: a case to which nothing comes has found something, and those behind it have their turn. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Shorter than any case has in all (run-attacks.ts), so that it can still close what it opened. */
const LONGEST_WAIT_MS = 20_000;

/** Asks again until the condition holds. */
export async function eventually(what: string, condition: () => Promise<boolean> | boolean): Promise<void> {
  const endsAtMs = performance.now() + LONGEST_WAIT_MS;
  while (!(await condition())) {
    if (performance.now() > endsAtMs) throw new Error(`${what}: not in ${LONGEST_WAIT_MS / 1_000} s`);
    await sleep(20);
  }
}

/** What it gives, or an error when that does not come in time; what it began then goes on by itself. */
export async function within<T>(limitMs: number, run: () => Promise<T>): Promise<T> {
  const ended = new AbortController();
  const late = async (): Promise<never> => {
    await sleep(limitMs, undefined, { signal: ended.signal });
    throw new Error(`nothing in ${limitMs / 1_000} s`);
  };
  try {
    return await Promise.race([run(), late()]);
  } finally {
    ended.abort();
  }
}
