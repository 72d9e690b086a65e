/** Reading a file whose size nobody vouches for: regular files only, never more than a cap in memory. */
import { constants, existsSync } from 'node:fs';
import { open } from 'node:fs/promises';

export type BoundedFile =
  | { readonly ok: true; readonly bytes: Buffer }
  | { readonly ok: false; readonly reason: 'absent' | 'unreadable' | 'too_large'; readonly fault: string };

export async function readBoundedFile(path: string, maxBytes: number): Promise<BoundedFile> {
  try {
    // O_NONBLOCK: opening a FIFO that nobody writes to would otherwise wait for ever.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = await file.stat();
      if (!stat.isFile()) return { ok: false, reason: 'unreadable', fault: 'not a regular file' };
      if (stat.size > maxBytes) return tooLarge(maxBytes);
      // One byte more than is expected, so that a file that grows meanwhile is noticed.
      const buffer = Buffer.alloc(Math.min(Math.max(stat.size, 4096), maxBytes) + 1);
      let length = 0;
      for (;;) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
        if (bytesRead === 0) return { ok: true, bytes: buffer.subarray(0, length) };
        length += bytesRead;
        if (length > maxBytes) return tooLarge(maxBytes);
        if (length === buffer.length) {
          return { ok: false, reason: 'unreadable', fault: 'the file grew while it was read' };
        }
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    const code = errorCode(error);
    return code === 'ENOENT'
      ? { ok: false, reason: 'absent', fault: 'no such file' }
      : { ok: false, reason: 'unreadable', fault: code };
  }
}

/**
 * A file's name for an error about it. Where a setting names a secret's file, the secret itself is sometimes put there, and
 * then there is no file so called: its name is said only of one that is there.
 */
export function sayFile(path: string): string {
  return existsSync(path) ? path : 'the file that is named';
}

function tooLarge(maxBytes: number): BoundedFile {
  return { ok: false, reason: 'too_large', fault: `larger than ${maxBytes} bytes` };
}

/** The system's name of an error (`EACCES`), never its message, which may quote a URL or a path. */
export function errorCode(error: unknown): string {
  for (let e = error, depth = 0; e instanceof Error && depth < 4; e = e.cause, depth++) {
    const code = (e as NodeJS.ErrnoException).code;
    if (typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code)) return code;
  }
  return 'failed';
}
