/** Writes notes into one file after the other, and drops files of which all is over. */
import type { FileHandle } from 'node:fs/promises';
import type { Clock } from '../clock.ts';
import { expiryInNote, type JournalFiles } from './journal-files.ts';
import { NOTE_BYTES } from './taken-notes.ts';

export interface JournalWriter {
  /** Of a file that lives before have written: the wall-clock time at which the last of its proofs ends. */
  knowPast(number: number, lastExpiryMs: number): void;
  /** Rejects where it could not be written; what then stands half-written is left behind with its file. */
  write(notes: Buffer): Promise<void>;
  /** Ends the file under way when its time is over, and drops those of which all is over. */
  tidy(): Promise<void>;
  /** Ends the file under way. */
  end(): Promise<void>;
}

interface Current {
  readonly file: FileHandle;
  readonly number: number;
  readonly begunMs: number;
  bytes: number;
  lastExpiryMs: number;
}

/** A file is for so long, or for so much. */
const FILE_LIFE_MS = 60_000;
const FILE_BYTES = 16 * 1024 * 1024;

export function createJournalWriter(files: JournalFiles, clock: Clock, keepMs: number): JournalWriter {
  /** Files that are no longer written, with the monotonic time at which all they hold is over. */
  const past = new Map<number, number>();
  let last = 0;
  let current: Current | undefined;

  const knowPast = (number: number, lastExpiryMs: number): void => {
    last = Math.max(last, number);
    const restMs = Math.max(0, lastExpiryMs - clock.wallMs());
    past.set(number, clock.monotonicMs() + restMs + keepMs);
  };
  const end = async (): Promise<void> => {
    if (current === undefined) return;
    const { file, number, lastExpiryMs } = current;
    current = undefined;
    knowPast(number, lastExpiryMs);
    await file.close();
  };
  const dropPast = async (): Promise<void> => {
    for (const [number, overAtMs] of past) {
      if (clock.monotonicMs() < overAtMs) continue;
      await files.remove(number);
      past.delete(number);
    }
  };
  const begin = async (): Promise<Current> => {
    // A file that cannot be removed keeps nobody from writing; `tidy` tells of it.
    await dropPast().catch(() => {});
    const number = ++last;
    return {
      file: await files.create(number),
      number,
      begunMs: clock.monotonicMs(),
      bytes: 0,
      lastExpiryMs: 0,
    };
  };
  const isDone = ({ begunMs, bytes }: Current): boolean =>
    bytes > FILE_BYTES || clock.monotonicMs() - begunMs > FILE_LIFE_MS;

  const endDone = async (): Promise<void> => {
    if (current !== undefined && isDone(current)) await end();
  };

  return {
    knowPast,
    tidy: async () => {
      await endDone();
      await dropPast();
    },
    end,
    write: async (notes) => {
      await endDone();
      current ??= await begin();
      for (let at = 0; at < notes.length; at += NOTE_BYTES) {
        current.lastExpiryMs = Math.max(current.lastExpiryMs, expiryInNote(notes, at));
      }
      current.bytes += notes.length;
      try {
        await current.file.writeFile(notes);
      } catch (error) {
        await end().catch(() => {});
        throw error;
      }
    },
  };
}
