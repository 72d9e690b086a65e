/** The files of audit trails, one a day: their names, their ends, and their removal. */
import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type CheckedLine, checkLine, NO_LINE } from './audit-line.ts';

const DAY_MS = 24 * 3_600_000;
/** Read of a file's end at first; more where no line of it stands there whole. A line of a full call has 35 kB. */
const END_BYTES = 64 * 1024;
/** Of a file that has no line in so many bytes of its end, nobody knows where its trail ends. */
const MOST_END_BYTES = 64 * 1024 * 1024;

/** The day (UTC) of an instant, as names of files have it. */
export function dayOf(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 10);
}

/** The day so many days before an instant. */
export function dayBefore(wallMs: number, days: number): string {
  return dayOf(wallMs - days * DAY_MS);
}

/** The trail's files, the oldest first. */
export async function auditFiles(dir: string, name: string, ending = 'jsonl'): Promise<readonly string[]> {
  const pattern = new RegExp(`^${name}-\\d{4}-\\d{2}-\\d{2}\\.${ending}$`);
  return (await readdir(dir)).filter((file) => pattern.test(file)).sort();
}

/** The day of a file of the trail. */
export function dayOfFile(file: string): string {
  return file.slice(file.lastIndexOf('.') - 10, file.lastIndexOf('.'));
}

export interface TrailEnd {
  readonly number: number;
  readonly mac: string;
  /** The file ends in the middle of a line. */
  readonly isTorn: boolean;
  /** Of the last file; empty where there is none. */
  readonly day: string;
  /** Of the file in which the last line stands, which need not be the last; empty where there is no line. */
  readonly lineDay: string;
}

/** Where a trail ends. @throws when the last file cannot be read: a trail with a gap is none. */
export async function endOfTrail(dir: string, name: string, key: Uint8Array): Promise<TrailEnd> {
  const files = await auditFiles(dir, name);
  const [last = ''] = files.slice(-1);
  const day = last === '' ? '' : dayOfFile(last);
  let isTorn = false;
  for (const file of [...files].reverse()) {
    const end = await endOfFile(join(dir, file), key);
    if (file === last) isTorn = end.isTorn;
    if (end.line !== undefined) {
      const { number, mac } = end.line;
      return { number, mac, isTorn, day, lineDay: dayOfFile(file) };
    }
  }
  return { number: 0, mac: NO_LINE, isTorn, day, lineDay: '' };
}

type WholeLine = Extract<CheckedLine, { ok: true }>;

/** The last line of a file that holds; a line that a crash cut off is none, and nobody was told that it was durable. */
async function endOfFile(
  path: string,
  key: Uint8Array,
): Promise<{ readonly line: WholeLine | undefined; readonly isTorn: boolean }> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    for (let wanted = END_BYTES; ; wanted *= 4) {
      const bytes = Buffer.alloc(Math.min(size, wanted));
      const { bytesRead } = await file.read(bytes, 0, bytes.length, size - bytes.length);
      const lines = bytes.toString('utf8', 0, bytesRead).split('\n');
      const isTorn = lines.pop() !== '';
      for (const text of lines.reverse()) {
        const line = checkLine(text, key);
        if (line.ok) return { line, isTorn };
      }
      if (wanted >= size) return { line: undefined, isTorn };
      if (wanted >= MOST_END_BYTES) throw new Error('the end of the trail is no trail');
    }
  } finally {
    await file.close();
  }
}

export interface Removal {
  readonly days: number;
  readonly wallMs: number;
  /** Of the files' names. */
  readonly ending?: string;
  /** The first day of all that stay, however old they are. */
  readonly stayFrom?: string;
}

/** Removes the files of days that are over by `days` and more. */
export async function removeOldFiles(
  dir: string,
  name: string,
  { days, wallMs, ending = 'jsonl', stayFrom }: Removal,
): Promise<void> {
  const oldest = dayBefore(wallMs, days);
  const isOver = (day: string): boolean => day < oldest && (stayFrom === undefined || day < stayFrom);
  for (const file of await auditFiles(dir, name, ending))
    if (isOver(dayOfFile(file))) await rm(join(dir, file), { force: true });
}
