/** Files for their owner's eyes alone, written whole or not at all. */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';

const OWNER_ONLY_FILE = 0o600;
const OWNER_ONLY_DIRECTORY = 0o700;

/**
 * Creates a file that must not be there yet. The name appears only once the content is on disk, so that two
 * processes starting at once, or a crash halfway, leave one whole file.
 */
export function writeNewPrivateFile(path: string, content: string): 'written' | 'exists' {
  const temporary = writeTemporary(path, content);
  try {
    // Unlike rename, link refuses a name that is taken.
    linkSync(temporary, path);
    return 'written';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return 'exists';
    throw error;
  } finally {
    unlinkSync(temporary);
  }
}

/** Replaces a file in one step, or creates it. */
export function replacePrivateFile(path: string, content: string): void {
  renameSync(writeTemporary(path, content), path);
}

/** Makes the directory and its missing parents, for the owner alone; leaves one that is there as it is. */
export function makePrivateDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: OWNER_ONLY_DIRECTORY });
}

/** In the same directory, since neither link nor rename crosses file systems. */
function writeTemporary(path: string, content: string): string {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const file = openSync(temporary, 'wx', OWNER_ONLY_FILE);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return temporary;
}
