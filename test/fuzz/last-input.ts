/** The input under way, in a file, so that it is known when it ended the process that tried it. */
import { ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';

export interface LastInput {
  note(input: Uint8Array): void;
}

export function writeLastInput(file: string): LastInput {
  const fd = openSync(file, 'w', 0o600);
  return {
    note: (input) => {
      ftruncateSync(fd, input.length);
      writeSync(fd, input, 0, input.length, 0);
    },
  };
}

/** `undefined`: none was tried. */
export function readLastInput(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}
