/** Bearer tokens (RFC 6750): as a request shows one, and as a file keeps one for those who ask for it or show it. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { sayFile } from './bounded-file.ts';

/** One line of visible ASCII, fit for a header as it is. */
const TOKEN = /^[\x21-\x7e]{16,1024}$/;
/** The longest token and CRLF, and one byte more to notice a longer file. */
const MAX_FILE_BYTES = 1_027;

/** Of the header Authorization (section 2.1), the scheme's name in any case (RFC 9110 section 11.1); no header, no token. */
export function bearerTokenIn(authorization = ''): string | undefined {
  return /^Bearer +([\x21-\x7e]+)$/i.exec(authorization)?.[1];
}

export type BearerToken =
  | { readonly ok: true; readonly token: string }
  | { readonly ok: false; readonly fault: string };

/** `fault` says what is wrong with the file, never what stands in it, nor a name that may be the token itself. */
export function readBearerTokenFile(path: string): BearerToken {
  let descriptor: number | undefined;
  try {
    // Non-blocking: a FIFO in the file's place must not hang the start.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!fstatSync(descriptor).isFile()) return { ok: false, fault: `${path} is not a regular file` };
    const bytes = Buffer.alloc(MAX_FILE_BYTES);
    const token = bytes.toString('latin1', 0, readSync(descriptor, bytes)).replace(/\r?\n$/, '');
    if (TOKEN.test(token)) return { ok: true, token };
    return { ok: false, fault: `${path} is not one line of 16 to 1024 visible ASCII characters` };
  } catch (error) {
    return { ok: false, fault: `${sayFile(path)} cannot be read (${(error as NodeJS.ErrnoException).code})` };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
