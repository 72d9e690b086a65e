/** Durable names: a file's own sync does not cover the name under which it is found again. */
import { closeSync, constants, fsyncSync, openSync } from 'node:fs';

/** Makes the names in a directory durable; returns once they are. Throws what the file system throws. */
export function syncDirectory(dir: string): void {
  const fd = openSync(dir, constants.O_RDONLY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
