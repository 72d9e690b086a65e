/**
 * An append-only trail: JSON lines, a file for each day (UTC). Each line has the MAC of the one before and its own, under
 * a key that the deployment's secret gives, so that a line that was changed, taken out or put in shows itself to whoever
 * checks the trail with the secret. What is cut off at the end does not: the trail's last number is a metric.
 */
import { constants, mkdirSync } from 'node:fs';
import { type FileHandle, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readBoundedFile } from '../bounded-file.ts';
import { hmacSha256 } from '../hmac.ts';

/** What is told of an event; no member of it may name a card, a person or anything that a caller wrote. */
export type AuditEntry = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface AuditTrail {
  /** Resolves to whether the entry is durable. */
  append(entry: AuditEntry): Promise<boolean>;
  /** Entries of all times, as far as the files go back. */
  count(): number;
  /** Waits for what is under way. */
  close(): Promise<void>;
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

/** Before the first line of all. */
export const NO_LINE = '0'.repeat(32);
/** Entries that wait for the disk; one more is refused. */
const MOST_WAITING = 1_000;
/** A day's file is read whole when a trail is opened: one that is larger than this is left, and another begun. */
const MOST_FILE_BYTES = 256 * 1024 * 1024;
const DAY_MS = 24 * 3_600_000;

interface Waiting {
  readonly entry: AuditEntry;
  readonly settle: (durable: boolean) => void;
}

/** @throws when the directory cannot be had, or the last file cannot be read: a trail with a gap is none. */
export async function openAuditTrail(options: AuditTrailOptions): Promise<AuditTrail> {
  const { dir, key, wallMs } = options;
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const last = await lastOf(options);
  let { number, mac, isTorn } = last;
  let isUncertain = false;
  let day = '';
  let file: FileHandle | undefined;
  let fault: string | undefined;
  let waiting: Waiting[] = [];
  let writing: Promise<void> | undefined;

  const tell = (code: string | undefined): void => {
    if (code !== fault) options.onFault(code);
    fault = code;
  };
  const fileOfToday = async (): Promise<FileHandle> => {
    const today = new Date(wallMs()).toISOString().slice(0, 10);
    if (file !== undefined && today === day) return file;
    await file?.close();
    file = undefined;
    const { O_APPEND, O_CREAT, O_WRONLY } = constants;
    file = await open(join(dir, `${options.name}-${today}.jsonl`), O_APPEND | O_CREAT | O_WRONLY, 0o600);
    day = today;
    await removeOld(options);
    return file;
  };
  /** After a fault nobody knows what of the last write stands there: the trail goes on behind what does. */
  const lookAgain = async (): Promise<void> => {
    const found = await lastOf(options);
    [number, mac, isTorn] = [found.number, found.mac, found.isTorn];
    isUncertain = false;
  };
  const write = async (batch: readonly Waiting[]): Promise<void> => {
    if (isUncertain) await lookAgain();
    const at = new Date(wallMs()).toISOString();
    let text = isTorn ? '\n' : '';
    let [nextNumber, nextMac] = [number, mac];
    for (const { entry } of batch) {
      const line = lineOf({ n: ++nextNumber, at, ...entry, prev: nextMac }, key);
      nextMac = line.mac;
      text += line.text;
    }
    const target = await fileOfToday();
    isUncertain = true;
    await target.appendFile(text);
    await target.datasync();
    [number, mac, isTorn, isUncertain] = [nextNumber, nextMac, false, false];
  };
  const writeAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      const code = await write(batch).then(
        () => undefined,
        (error: NodeJS.ErrnoException) => error.code ?? error.name,
      );
      tell(code);
      for (const { settle } of batch) settle(code === undefined);
    }
    writing = undefined;
  };

  return {
    append: (entry) =>
      new Promise((resolve) => {
        if (waiting.length >= MOST_WAITING) return resolve(false);
        waiting.push({ entry, settle: resolve });
        writing ??= writeAll();
      }),
    count: () => number,
    close: async () => {
      await writing;
      await file?.close();
    },
  };
}

/** A line's text, its MAC last. */
function lineOf(fields: AuditEntry, key: Uint8Array): { readonly text: string; readonly mac: string } {
  const body = JSON.stringify(fields);
  const mac = macOf(body, key);
  return { text: `${body.slice(0, -1)},"mac":"${mac}"}\n`, mac };
}

/** 128 bits, hexadecimal. */
function macOf(body: string, key: Uint8Array): string {
  return hmacSha256(key, Buffer.from(body)).toString('hex', 0, 16);
}

const LINE = /^(\{"n":(\d{1,15}),.*"prev":"([0-9a-f]{32})")(?:),"mac":"([0-9a-f]{32})"\}$/;

export type CheckedLine =
  | { readonly ok: true; readonly number: number; readonly prev: string; readonly mac: string }
  | { readonly ok: false };

/** Whether a line is one of the trail's own; that it follows the one before, its `prev` must say. */
export function checkLine(line: string, key: Uint8Array): CheckedLine {
  const match = LINE.exec(line);
  if (match === null) return { ok: false };
  const [, body, number, prev, mac] = match as unknown as [string, string, string, string, string];
  if (macOf(`${body}}`, key) !== mac) return { ok: false };
  return { ok: true, number: Number(number), prev, mac };
}

/** The trail's files, the oldest first. */
export async function auditFiles(dir: string, name: string): Promise<readonly string[]> {
  const pattern = new RegExp(`^${name}-\\d{4}-\\d{2}-\\d{2}\\.jsonl$`);
  return (await readdir(dir)).filter((file) => pattern.test(file)).sort();
}

async function lastOf({ dir, name, key }: AuditTrailOptions): Promise<{
  readonly number: number;
  readonly mac: string;
  readonly isTorn: boolean;
}> {
  for (const file of [...(await auditFiles(dir, name))].reverse()) {
    const read = await readBoundedFile(join(dir, file), MOST_FILE_BYTES);
    if (!read.ok) throw new Error(`${file}: ${read.fault}`);
    const text = read.bytes.toString('utf8');
    const isTorn = text !== '' && !text.endsWith('\n');
    // A line that a crash cut off is no line; nobody was told that it was durable.
    const lines = text.split('\n').slice(0, -1).reverse();
    for (const line of lines) {
      const checked = checkLine(line, key);
      if (checked.ok) return { number: checked.number, mac: checked.mac, isTorn };
    }
    if (isTorn) return { number: 0, mac: NO_LINE, isTorn };
  }
  return { number: 0, mac: NO_LINE, isTorn: false };
}

async function removeOld({ dir, name, days, wallMs }: AuditTrailOptions): Promise<void> {
  const oldest = `${name}-${new Date(wallMs() - days * DAY_MS).toISOString().slice(0, 10)}.jsonl`;
  for (const file of await auditFiles(dir, name))
    if (file < oldest) await rm(join(dir, file), { force: true });
}
