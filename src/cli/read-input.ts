/** Input that comes from standard input or from a file, bounded in size. */
import { readFileSync } from 'node:fs';
import type { InputStream } from './terminal.ts';

export type Input =
  | { readonly ok: true; readonly bytes: Buffer }
  | { readonly ok: false; readonly fault: string };

/** Reads standard input to its end. On a terminal nobody would know what to type: that is a fault. */
export async function readStdin(stdin: InputStream, maxBytes: number, what: string): Promise<Input> {
  if (stdin.isTTY === true) return { ok: false, fault: `${what} is expected on standard input` };
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk as Uint8Array);
    length += bytes.length;
    if (length > maxBytes) return { ok: false, fault: `standard input is larger than ${maxBytes} bytes` };
    chunks.push(bytes);
  }
  return { ok: true, bytes: Buffer.concat(chunks, length) };
}

export function readInputFile(path: string, maxBytes: number): Input {
  try {
    const bytes = readFileSync(path);
    if (bytes.length > maxBytes) return { ok: false, fault: `${path} is larger than ${maxBytes} bytes` };
    return { ok: true, bytes };
  } catch (error) {
    return { ok: false, fault: `${path} cannot be read (${(error as NodeJS.ErrnoException).code})` };
  }
}

/** Takes off the line end that editors and `echo` add. */
export function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}
