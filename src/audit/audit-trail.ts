/**
 * An append-only trail: JSON lines, a file for each day (UTC). Each line has the MAC of the one before and its own, under
 * a key that the deployment's secret gives, so that a line that was changed, taken out or put in shows itself to whoever
 * checks the trail with the secret. What is cut off at the end does not: the trail's last number is a metric.
 */
import { constants, mkdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from '../sync-directory.ts';
import { dayOf, endOfTrail, removeOldFiles } from './audit-files.ts';
import { type AuditEntry, lineOf } from './audit-line.ts';

export interface AuditTrail {
  /** Resolves to the entry's number once it is durable; `undefined`: it is not, or may not be. */
  append(entry: AuditEntry): Promise<number | undefined>;
  facts(): AuditTrailFacts;
  /** Removes files whose days are over. Rejects with what the file system says. */
  tidy(): Promise<void>;
  /** Waits for what is under way. */
  close(): Promise<void>;
}

export interface AuditTrailFacts {
  /** Number of the last line: entries of all times, those included whose files are gone. */
  readonly last: number;
  /** Of this process. */
  readonly written: number;
  readonly failed: number;
}

export interface AuditTrailOptions {
  readonly dir: string;
  /** Begins the names of its files. */
  readonly name: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** Files of days before so many are removed. */
  readonly days: number;
  /** Milliseconds since the epoch. */
  wallMs(): number;
  /** Told once of each new fault (the system's name of it), and when it is over (`undefined`). */
  onFault(code: string | undefined): void;
}

/** Entries that wait for the disk; one more is refused. */
const MOST_WAITING = 1_000;

interface Waiting {
  readonly entry: AuditEntry;
  readonly settle: (number: number | undefined) => void;
}

/** @throws when the directory cannot be had, or the last file cannot be read: a trail with a gap is none. */
export async function openAuditTrail(options: AuditTrailOptions): Promise<AuditTrail> {
  const { dir, name, key, wallMs } = options;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  let end = await endOfTrail(dir, name, key);
  let isUncertain = false;
  let file: FileHandle | undefined;
  let [written, failed] = [0, 0];
  let fault: string | undefined;
  let waiting: Waiting[] = [];
  let writing: Promise<void> | undefined;

  const tell = (code: string | undefined): void => {
    if (code !== fault) options.onFault(code);
    fault = code;
  };
  const fileOf = async (day: string): Promise<FileHandle> => {
    // A file that somebody removed takes what is written and keeps nothing.
    if (file !== undefined && day === end.day && (await file.stat()).nlink > 0) return file;
    const before = file;
    file = undefined;
    await before?.close();
    const { O_APPEND, O_CREAT, O_WRONLY } = constants;
    file = await open(join(dir, `${name}-${day}.jsonl`), O_APPEND | O_CREAT | O_WRONLY, 0o600);
    syncDirectory(dir);
    return file;
  };
  const write = async (batch: readonly Waiting[]): Promise<number> => {
    // After a fault nobody knows what of the last write stands there: the trail goes on behind what does.
    if (isUncertain) end = await endOfTrail(dir, name, key);
    isUncertain = true;
    const nowMs = wallMs();
    const at = new Date(nowMs).toISOString();
    // A clock that is set back must not bring lines into a file before the last one: the chain goes from file to file.
    const day = dayOf(nowMs) > end.day ? dayOf(nowMs) : end.day;
    const target = await fileOf(day);
    let text = end.isTorn && day === end.day ? '\n' : '';
    let { number, mac } = end;
    for (const { entry } of batch) {
      const line = lineOf({ n: ++number, at, ...entry, prev: mac }, key);
      mac = line.mac;
      text += line.text;
    }
    await target.appendFile(text);
    await target.datasync();
    const first = end.number + 1;
    end = { number, mac, isTorn: false, day };
    isUncertain = false;
    return first;
  };
  // What came while the disk was busy goes to it together: one sync for all of it.
  const writeAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      const first = await write(batch).catch((error: NodeJS.ErrnoException) => {
        tell(error.code ?? error.name);
      });
      if (first === undefined) failed += batch.length;
      else {
        written += batch.length;
        tell(undefined);
      }
      for (const [index, { settle }] of batch.entries())
        settle(first === undefined ? undefined : first + index);
    }
    writing = undefined;
  };

  return {
    append: (entry) =>
      new Promise((resolve) => {
        if (waiting.length >= MOST_WAITING) {
          failed++;
          return resolve(undefined);
        }
        waiting.push({ entry, settle: resolve });
        writing ??= writeAll();
      }),
    facts: () => ({ last: end.number, written, failed }),
    tidy: () => removeOldFiles(dir, name, { days: options.days, wallMs: wallMs() }),
    close: async () => {
      await writing;
      await file?.close();
      file = undefined;
    },
  };
}
