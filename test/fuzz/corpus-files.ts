/**
 * The committed inputs of a target: a line each, its name and its bytes in hexadecimal digits. `bug-…` is what once found
 * something, `found-…` what ran code that no input before it in the file runs.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MOST_INPUT_BYTES } from './fuzz-target.ts';

export interface CorpusEntry {
  readonly name: string;
  readonly input: Buffer;
}

/** Of a file: small enough to be read by people. */
const MOST_FILE_CHARS = 16_384;

export function corpusFile(target: string): string {
  return fileURLToPath(new URL(`./corpus/${target}.txt`, import.meta.url));
}

/** @throws on a line that is none, as an input that is passed over in silence tests nothing, and on a file that is too large. */
export function readCorpus(target: string): CorpusEntry[] {
  const file = corpusFile(target);
  if (!existsSync(file)) return [];
  const text = readFileSync(file, 'utf8');
  if (text.length > MOST_FILE_CHARS) throw new Error(`${file}: more than ${MOST_FILE_CHARS} characters`);
  const lines = text.split('\n');
  return lines.flatMap((line, i) => {
    if (line === '' || line.startsWith('#')) return [];
    const [, name, hex] = /^([a-z0-9-]{1,80}) ((?:[0-9a-f]{2})*)$/.exec(line) ?? [];
    if (name === undefined || hex === undefined || hex.length > 2 * MOST_INPUT_BYTES) {
      throw new Error(`${file}: line ${i + 1} is no entry`);
    }
    return [{ name, input: Buffer.from(hex, 'hex') }];
  });
}

/** Adds inputs, the shortest first, as long as the file stays small; returns how many. */
export function addToCorpus(target: string, inputs: readonly Buffer[]): number {
  const file = corpusFile(target);
  let text = existsSync(file)
    ? readFileSync(file, 'utf8')
    : `# Inputs of the fuzz target ${target}: see test/fuzz/.\n`;
  let number = readCorpus(target).filter(({ name }) => name.startsWith('found-')).length;
  let added = 0;
  for (const input of [...inputs].sort((a, b) => a.length - b.length)) {
    const line = `found-${number + 1} ${input.toString('hex')}\n`;
    if (text.length + line.length > MOST_FILE_CHARS) break;
    text += line;
    number++;
    added++;
  }
  writeFileSync(file, text);
  return added;
}
