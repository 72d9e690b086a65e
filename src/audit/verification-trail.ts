/**
 * The audit of verifications: a line for each, under a pseudonym of the card that means something for as long as its day's
 * key is kept. A thread gathers what it verified in flat arrays and writes it behind its requests' backs, some hundred
 * lines a turn; what does not fit there meanwhile is dropped, and counted, since no answer waits for its line. All
 * threads append to one file a day, each piece in one write.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { dayOf } from './audit-files.ts';
import { makeDayKey, type Pseudonyms, pseudonymsBy, readDayKey, VERIFICATIONS } from './day-keys.ts';

export const CARD_HASH_BYTES = 16;

/** What became of a record; `dropped`: too many came at once, `failed`: the disk or the day's key could not be had. */
export type RecordResult = 'written' | 'dropped' | 'failed';

export interface VerificationTrail {
  /**
   * A verification at `atMs` (milliseconds since the epoch) with the reason of this code. The card's keyed hash is the 16
   * bytes of `hashes` from `from` on; without it the line names no card.
   */
  note(atMs: number, caller: string | undefined, code: number, hashes?: Uint8Array, from?: number): void;
  /** Writes what is gathered; the thread lives until that is done. */
  stop(): void;
}

export interface VerificationTrailOptions {
  /** Must be there. */
  readonly dir: string;
  /** The secret's. */
  readonly pseudonymKey: Uint8Array;
  onRecords(result: RecordResult, count: number): void;
}

/** Records that are gathered while as many are written. */
const GATHERED = 32_768;
/** Lines of one turn of the event loop, about a millisecond of work. */
const PIECE = 512;
const GATHER_MS = 50;

interface Records {
  count: number;
  readonly atMs: Float64Array;
  readonly codes: Uint8Array;
  readonly isNamed: Uint8Array;
  readonly hashes: Uint8Array;
  /** Names of callers, which the thread has anyway. */
  readonly callers: (string | undefined)[];
}

/** A day's file, open, and how its lines name cards. */
interface Today {
  readonly day: string;
  readonly file: FileHandle;
  readonly pseudonymOf: Pseudonyms;
}

export function createVerificationTrail(options: VerificationTrailOptions): VerificationTrail {
  const { dir, pseudonymKey, onRecords } = options;
  let gathered = emptyRecords();
  let spare = emptyRecords();
  let today: Today | undefined;
  /** The last write failed: what it left may be half a line. */
  let isTorn = false;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;

  const forgetToday = async (): Promise<void> => {
    const before = today;
    today = undefined;
    await before?.file.close().catch(() => {});
  };
  const writePiece = async (records: Records, from: number, to: number): Promise<void> => {
    const day = dayOf(records.atMs[from] as number);
    try {
      if (today?.day !== day) {
        await forgetToday();
        today = await openDay(dir, day, pseudonymKey);
      }
      const lines = linesOf(records, from, to, today.pseudonymOf);
      await today.file.appendFile(isTorn ? `\n${lines}` : lines);
      isTorn = false;
      onRecords('written', to - from);
    } catch {
      isTorn = true;
      await forgetToday();
      onRecords('failed', to - from);
    }
  };
  const writeAll = async (): Promise<void> => {
    while (gathered.count > 0) {
      const full = gathered;
      gathered = spare;
      for (let from = 0; from < full.count; ) {
        const to = pieceEnd(full, from);
        await writePiece(full, from, to);
        from = to;
      }
      full.count = 0;
      spare = full;
    }
    writing = undefined;
  };
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    writing ??= writeAll();
  };
  return {
    note: (atMs, caller, code, hashes, from = 0) => {
      const { count } = gathered;
      if (count === GATHERED) {
        onRecords('dropped', 1);
        return;
      }
      gathered.atMs[count] = atMs;
      gathered.codes[count] = code;
      gathered.callers[count] = caller;
      gathered.isNamed[count] = hashes === undefined ? 0 : 1;
      for (let i = 0; hashes !== undefined && i < CARD_HASH_BYTES; i++)
        gathered.hashes[count * CARD_HASH_BYTES + i] = hashes[from + i] as number;
      gathered.count = count + 1;
      if (writing === undefined) timer ??= setTimeout(flush, GATHER_MS);
    },
    stop: () => {
      flush();
      void writing?.then(forgetToday);
    },
  };
}

function emptyRecords(): Records {
  return {
    count: 0,
    atMs: new Float64Array(GATHERED),
    codes: new Uint8Array(GATHERED),
    isNamed: new Uint8Array(GATHERED),
    hashes: new Uint8Array(CARD_HASH_BYTES * GATHERED),
    callers: new Array<string | undefined>(GATHERED).fill(undefined),
  };
}

/** Where a piece that begins with record `from` ends: all of it is of one day. */
function pieceEnd({ count, atMs }: Records, from: number): number {
  const day = dayOf(atMs[from] as number);
  const most = Math.min(count, from + PIECE);
  let to = from + 1;
  while (to < most && dayOf(atMs[to] as number) === day) to++;
  return to;
}

async function openDay(dir: string, day: string, pseudonymKey: Uint8Array): Promise<Today> {
  // The key first: without it there is nothing to be written.
  const key = await readDayKey(dir, day).catch(() => makeDayKey(dir, day));
  const { O_APPEND, O_CREAT, O_WRONLY } = constants;
  const file = await open(join(dir, `${VERIFICATIONS}-${day}.jsonl`), O_APPEND | O_CREAT | O_WRONLY, 0o600);
  return { day, file, pseudonymOf: pseudonymsBy(key, pseudonymKey) };
}

function linesOf(
  { atMs, codes, callers, isNamed, hashes }: Records,
  from: number,
  to: number,
  pseudonymOf: Pseudonyms,
): string {
  let text = '';
  // Those of one piece mostly came in one call: what they have in common is put into words once.
  let head = '';
  for (let i = from; i < to; i++) {
    if (i === from || atMs[i] !== atMs[i - 1] || callers[i] !== callers[i - 1]) {
      const caller = callers[i] === undefined ? '' : `,"caller":${JSON.stringify(callers[i])}`;
      head = `{"at":"${new Date(atMs[i] as number).toISOString()}"${caller}`;
    }
    const hash = hashes.subarray(CARD_HASH_BYTES * i, CARD_HASH_BYTES * (i + 1));
    const card = isNamed[i] === 1 ? `,"card":"${pseudonymOf(hash)}"` : '';
    text += `${head}${card},"code":${codes[i]}}\n`;
  }
  return text;
}
