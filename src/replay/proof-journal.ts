/**
 * What this gateway has taken, on its disk, so that its next life knows it as well.
 *
 * Nobody waits for it: threads send what they took some milliseconds later, and it is written behind that. So what was
 * taken in the last moments before a `kill -9` may be taken once more by the next life, and after a loss of power what
 * the system had not written out; an orderly end loses nothing. A disk that is full or does not answer costs the
 * journal, never a verification.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../clock.ts';
import { type JournalFiles, openJournalFiles } from './journal-files.ts';
import { createJournalWriter, type JournalWriter } from './journal-writer.ts';
import type { Take } from './taking.ts';

export interface ProofJournal {
  /** Proofs that are known from the lives before. */
  readonly restored: number;
  /** Writes down what a thread took. */
  append(notes: Uint8Array): void;
  /** How often notes could not be written, so far. */
  failures(): number;
  /** Ends when everything is written, or cannot be, or the time is over. */
  close(timeoutMs: number): Promise<void>;
}

export interface ProofJournalOptions {
  readonly dir: string;
  readonly clock: Clock;
  /** For so long beyond its life a proof is kept. */
  readonly keepMs: number;
  /** Takes what the lives before have taken. */
  readonly take: Take;
  /** Once for each time that writing begins to fail. */
  onFailure(error: unknown): void;
}

/** No proof lives longer; what claims to was not written by a gateway, and would take a place for ever. */
const LONGEST_LIFE_MS = 7_200_000;
/** Between two looks at the files: what is over goes from the disk, though no more proofs may come. */
const TIDY_INTERVAL_MS = 1_000;
/** Before what failed is tried again, in a file of its own. */
const PAUSE_MS = 1_000;
/** Notes waiting for a disk that does not answer; what comes beyond is not written. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/** Throws where the directory cannot be read. */
export function openProofJournal(options: ProofJournalOptions): ProofJournal {
  const { clock, keepMs, onFailure } = options;
  const files = openJournalFiles(options.dir);
  const writer = createJournalWriter(files, clock, keepMs);
  const restored = restore(files, writer, options);
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let working: Promise<void> | undefined;
  let tidyIsDue = false;
  let failures = 0;
  let fails = false;

  const failed = (error: unknown): void => {
    failures++;
    if (!fails) onFailure(error);
    fails = true;
  };
  const writeWaiting = async (): Promise<void> => {
    const notes = Buffer.concat(waiting);
    waiting = [];
    waitingBytes = 0;
    try {
      await writer.write(notes);
      fails = false;
    } catch (error) {
      failed(error);
      waiting.unshift(notes);
      waitingBytes += notes.length;
      await sleep(PAUSE_MS, undefined, { ref: false });
    }
  };
  const tidy = async (): Promise<void> => {
    tidyIsDue = false;
    try {
      await writer.tidy();
    } catch {
      // What could not be removed is looked at again.
      failures++;
    }
  };
  /** One thing after the other is done to the files. */
  const work = async (): Promise<void> => {
    while (tidyIsDue || waiting.length > 0) {
      if (tidyIsDue) await tidy();
      if (waiting.length > 0) await writeWaiting();
    }
    working = undefined;
  };
  const tidying = setInterval(() => {
    tidyIsDue = true;
    working ??= work();
  }, TIDY_INTERVAL_MS).unref();

  return {
    restored,
    append: (notes) => {
      if (waitingBytes + notes.length > MAX_WAITING_BYTES) {
        return failed(new Error('the disk does not answer'));
      }
      waiting.push(notes);
      waitingBytes += notes.length;
      working ??= work();
    },
    failures: () => failures,
    close: async (timeoutMs) => {
      clearInterval(tidying);
      const written = Promise.resolve(working).then(() => writer.end());
      // What could not be closed is the system's to close.
      await Promise.race([written.catch(() => {}), sleep(timeoutMs, undefined, { ref: false })]);
    },
  };
}

/** Takes what is still in force of what the files hold. */
function restore(
  files: JournalFiles,
  writer: JournalWriter,
  { clock, keepMs, take }: ProofJournalOptions,
): number {
  let restored = 0;
  const nowMs = clock.wallMs();
  for (const number of files.numbers()) {
    let latestMs = 0;
    for (const { id, expiresAtMs } of files.read(number)) {
      if (!(expiresAtMs > nowMs - keepMs && expiresAtMs < nowMs + LONGEST_LIFE_MS)) continue;
      latestMs = Math.max(latestMs, expiresAtMs);
      if (take(id, expiresAtMs) === 'first') restored++;
    }
    writer.knowPast(number, latestMs);
  }
  return restored;
}
