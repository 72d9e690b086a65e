/**
 * The files of the journal: in a directory of their own, each for some time, and dropped whole when all that stands in
 * them is over. A file begins with the version of its form; behind that stand notes as threads made them.
 *
 * Nothing here is authentic or has to be: whoever may write here may also delete, and either makes the gateway forget
 * no more than a start without a journal would.
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { NOTE_BYTES } from './taken-notes.ts';
import { ID_BYTES } from './taking.ts';

export interface Note {
  readonly id: Uint8Array;
  readonly expiresAtMs: number;
}

const FORM = Buffer.from('vigie proofs 1\n');
const NAME = /^proofs-(\d{1,9})$/;

export interface JournalFiles {
  /** Numbers of the files that are there, in order. */
  numbers(): readonly number[];
  /** What a file holds; what was not written whole, at its end, is left out, and one of another form holds nothing. */
  read(number: number): readonly Note[];
  create(number: number): Promise<FileHandle>;
  remove(number: number): Promise<void>;
}

export function openJournalFiles(dir: string): JournalFiles {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const pathOf = (number: number): string => join(dir, `proofs-${number}`);
  return {
    numbers: () =>
      readdirSync(dir)
        .flatMap((name) => NAME.exec(name)?.[1] ?? [])
        .map(Number)
        .sort((a, b) => a - b),
    read: (number) => notesIn(readFileSync(pathOf(number))),
    create: async (number) => {
      const file = await open(pathOf(number), 'wx', 0o600);
      try {
        await file.writeFile(FORM);
        return file;
      } catch (error) {
        await file.close();
        await rm(pathOf(number), { force: true });
        throw error;
      }
    },
    remove: (number) => rm(pathOf(number), { force: true }),
  };
}

function notesIn(bytes: Buffer): Note[] {
  const notes: Note[] = [];
  if (!bytes.subarray(0, FORM.length).equals(FORM)) return notes;
  for (let at = FORM.length; at + NOTE_BYTES <= bytes.length; at += NOTE_BYTES) {
    notes.push(readNote(bytes, at));
  }
  return notes;
}

function readNote(bytes: Buffer, at: number): Note {
  return { id: bytes.subarray(at, at + ID_BYTES), expiresAtMs: expiryInNote(bytes, at) };
}

export function expiryInNote(bytes: Buffer, at: number): number {
  return bytes.readDoubleLE(at + ID_BYTES);
}
