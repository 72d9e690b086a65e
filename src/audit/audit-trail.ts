/**
 * An append-only trail: JSON lines, a file for each day (UTC). Each line has the MAC of the one before and its own, under
 * a key that the deployment's secret gives, so that a line that was changed, taken out or put in shows itself to whoever
 * checks the trail with the secret. What is cut off at the end does not: the trail's last number is a metric.
 */
import { constants, mkdirSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dayOf, endOfTrail, removeOldFiles } from './audit-files.ts';
import { type AuditEntry, lineOf } from './audit-line.ts';

export interface AuditTrail {
  /**
   * Resolves to the entry's number once it is durable; `undefined`: it is not, or may not be. Within `timeoutMs`: a line
   * that the disk took longer for may stand there later.
   */
  append(entry: AuditEntry): Promise<number | undefined>;
  facts(): AuditTrailFacts;
  /**
   * Removes files whose days are over, but for the one in which the last line stands: without it the next start would
   * begin another trail. Rejects with what the file system says.
   */
  tidy(): Promise<void>;
  /** Waits for what is under way, so long at most; whether all of it has ended. */
  close(timeoutMs?: number): Promise<boolean>;
}

export interface AuditTrailFacts {
  /** Number of the last line: entries of all times, those included whose files are gone. */
  readonly last: number;
  /** Of this process. */
  readonly written: number;
  readonly failed: Readonly<Record<AuditPhase, number>>;
}

export interface AuditTrailOptions {
  readonly dir: string;
  /** Begins the names of its files. */
  readonly name: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** Files of days before so many are removed. */
  readonly days: number;
  /** Given to each entry; APPEND_TIMEOUT_MS if absent. */
  readonly timeoutMs?: number;
  /** Milliseconds since the epoch. */
  wallMs(): number;
  /** Told once of each new fault (the system's name of it), and when it is over (`undefined`). */
  onFault(code: string | undefined): void;
}

/** An entry is asked for before something is done, tells of what was done, or is only of a look; without `phase`, the first. */
const PHASES = ['asked', 'done', 'look'] as const;
export type AuditPhase = (typeof PHASES)[number];

/**
 * An entry is refused when so many wait for the disk already. Looks leave room for changes, and what is asked for leaves
 * room for the ends of what was: a change that is refused can be asked for again, an end that is not told is lost.
 */
const MOST_WAITING: Readonly<Record<AuditPhase, number>> = { asked: 900, done: 1_000, look: 400 };

/** A healthy disk takes milliseconds, a busy one a second; callers wait for this. */
const APPEND_TIMEOUT_MS = 5_000;

interface Waiting {
  readonly entry: AuditEntry;
  readonly settle: (number: number | undefined) => void;
}

/** @throws when the directory cannot be had, or the last file cannot be read: a trail with a gap is none. */
export async function openAuditTrail(options: AuditTrailOptions): Promise<AuditTrail> {
  const { dir, name, key, wallMs, timeoutMs = APPEND_TIMEOUT_MS } = options;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  let end = await endOfTrail(dir, name, key);
  let isUncertain = false;
  let file: FileHandle | undefined;
  let written = 0;
  const failed = { asked: 0, done: 0, look: 0 };
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
    // The name as well, and not by the thread that serves: this is where a disk hangs.
    const names = await open(dir);
    await names.sync().finally(() => names.close());
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
    end = { number, mac, isTorn: false, day, lineDay: day };
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
      if (first !== undefined) {
        written += batch.length;
        tell(undefined);
      }
      for (const [index, { settle }] of batch.entries())
        settle(first === undefined ? undefined : first + index);
    }
    writing = undefined;
  };

  return {
    append: (entry) => {
      const phase = PHASES.find((one) => one === entry.phase) ?? 'asked';
      return new Promise((resolve) => {
        let timer: NodeJS.Timeout | undefined;
        let isTold = false;
        const settle = (number: number | undefined): void => {
          if (isTold) return;
          isTold = true;
          clearTimeout(timer);
          if (number === undefined) failed[phase]++;
          resolve(number);
        };
        if (waiting.length >= MOST_WAITING[phase]) return settle(undefined);
        const one: Waiting = { entry, settle };
        timer = setTimeout(() => {
          // What the disk has not been given yet, it is not given any more: nothing will have been done.
          waiting = waiting.filter((other) => other !== one);
          tell('ETIMEDOUT');
          settle(undefined);
        }, timeoutMs);
        waiting.push(one);
        writing ??= writeAll();
      });
    },
    facts: () => ({ last: end.number, written, failed: { ...failed } }),
    tidy: () => removeOldFiles(dir, name, { days: options.days, wallMs: wallMs(), stayFrom: end.lineDay }),
    close: (closeMs = timeoutMs) => {
      const closing = Promise.resolve(writing).then(async () => {
        const open = file;
        file = undefined;
        await open?.close();
        return true;
      });
      return Promise.race([closing, sleep(closeMs, false, { ref: false })]);
    },
  };
}
