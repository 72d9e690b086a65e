/** Whether an audit trail is whole: every line its own, each following the one before, from file to file. */
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { auditFiles } from './audit-files.ts';
import { checkLine } from './audit-line.ts';

/** A place in the trail at which it does not hold. */
export interface TrailFault {
  readonly file: string;
  /** Counted from one. */
  readonly line: number;
  /** `altered`: not as it was written; `gap`: it does not follow the line before. */
  readonly what: 'altered' | 'gap';
}

export interface CheckedTrail {
  readonly files: number;
  /** Those that hold. */
  readonly lines: number;
  /** Lines that a crash cut off: the trail goes on behind each as if it were not there, since nobody was told of it. */
  readonly torn: number;
  /** Number of the first line; those before went with their days, or were taken. 0 where there is none. */
  readonly first: number;
  /** Number of the last line: what comes after it can only have been cut off. */
  readonly last: number;
  readonly faults: readonly TrailFault[];
}

/** Told of at most; a trail that was made anew by somebody else would have as many as lines. */
const MOST_FAULTS = 100;

/** `onLine` is told of every line that holds. @throws when the directory cannot be read. */
export async function checkTrail(
  dir: string,
  name: string,
  key: Uint8Array,
  onLine: (line: string) => void = () => {},
): Promise<CheckedTrail> {
  const files = await auditFiles(dir, name);
  const faults: TrailFault[] = [];
  const found = (fault: TrailFault): void => {
    if (faults.length < MOST_FAULTS) faults.push(fault);
  };
  let [lines, torn, first, last] = [0, 0, 0, 0];
  // Files that were removed with their days take what came before with them.
  let before: string | undefined;
  /** Lines that are none, until the next one says what they were. */
  let strange: TrailFault[] = [];
  for (const file of files) {
    let number = 0;
    for await (const line of linesOf(join(dir, file))) {
      number++;
      if (line === '') continue;
      const checked = checkLine(line, key);
      if (!checked.ok) {
        strange.push({ file, line: number, what: 'altered' });
        continue;
      }
      const follows = before === undefined ? strange.length === 0 : checked.prev === before;
      if (follows) torn += strange.length;
      else {
        for (const fault of strange) found(fault);
        if (before !== undefined) found({ file, line: number, what: 'gap' });
      }
      strange = [];
      before = checked.mac;
      if (lines === 0) first = checked.number;
      last = checked.number;
      lines++;
      onLine(line);
    }
  }
  const [only] = strange;
  if (strange.length === 1 && only !== undefined && !(await endsWithLine(join(dir, only.file)))) torn++;
  else for (const fault of strange) found(fault);
  return { files: files.length, lines, torn, first, last, faults };
}

const LF = 0x0a;

/**
 * The file's lines, each of all the bytes between two line feeds: a reader of text would end lines at other characters too,
 * and leave out the beginning of one that is cut off.
 */
async function* linesOf(file: string): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, from)) {
      yield Buffer.concat([...parts, chunk.subarray(from, at)]).toString();
      parts = [];
      from = at + 1;
    }
    parts.push(chunk.subarray(from));
  }
  yield Buffer.concat(parts).toString();
}

async function endsWithLine(file: string): Promise<boolean> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file);
    const { size } = await handle.stat();
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer[0] === 0x0a;
  } finally {
    await handle?.close();
  }
}
