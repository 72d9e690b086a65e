/**
 * A lock beside a file that commands read, change and put in place by rename: of two that do so at once the later rename
 * would undo the other's change. It is a file that only one can create; one that was cut off leaves it, for a minute.
 */
import { closeSync, fstatSync, openSync, statSync, unlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A change takes milliseconds: whoever holds a lock for so long is gone. */
const STALE_MS = 60_000;
/** How long another change is waited for, and how often it is looked whether it is over. */
const MOST_WAIT_MS = 5_000;
const LOOK_INTERVAL_MS = 20;

export type Locked<T> =
  | { readonly ok: true; readonly result: T }
  | { readonly ok: false; readonly fault: string };

/** Does the work while nobody else does any under the same lock; the fault says why it was not begun. */
export async function withFileLock<T>(file: string, work: () => Promise<T>): Promise<Locked<T>> {
  const path = `${file}.lock`;
  const until = performance.now() + MOST_WAIT_MS;
  for (let fd = take(path); ; fd = take(path)) {
    if (typeof fd === 'number') {
      try {
        return { ok: true, result: await work() };
      } finally {
        release(path, fd);
      }
    }
    // Without a directory there is nothing to lock: the work itself says what is missing.
    if (fd === 'ENOENT') return { ok: true, result: await work() };
    if (fd !== 'EEXIST') return { ok: false, fault: `${path} cannot be made (${fd})` };
    if (performance.now() > until) {
      const fault = `${path} is there: another change is under way, or one was cut off less than a minute ago`;
      return { ok: false, fault };
    }
    await sleep(LOOK_INTERVAL_MS);
  }
}

/** The open lock, or the error's code. */
function take(path: string): number | string {
  try {
    return openSync(path, 'wx', 0o600);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') removeStale(path);
    return code;
  }
}

/** Looked at and removed at once, so that what another one has made meanwhile is not taken from it. */
function removeStale(path: string): void {
  try {
    if (Date.now() - statSync(path).mtimeMs > STALE_MS) unlinkSync(path);
  } catch {
    // Released, or removed by somebody else; whatever else is wrong the next try tells.
  }
}

/** Only the one that was taken: after a minute another may have come in its place. */
function release(path: string, fd: number): void {
  try {
    if (statSync(path).ino === fstatSync(fd).ino) unlinkSync(path);
  } catch {
    // It is gone: whoever removed it took it for stale.
  } finally {
    closeSync(fd);
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'failed';
}
