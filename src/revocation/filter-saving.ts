/** Writes the filter's file (see `filter-file.ts`): from time to time, and when the gateway stops. */
import { constants, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { syncDirectory } from '../sync-directory.ts';
import {
  anchorOf,
  dropOtherFilterFiles,
  encodeAnchor,
  type FilterAnchor,
  filterFile,
  META_FILTER,
  META_FILTER_SAVING,
  newAnchor,
} from './filter-file.ts';
import { encodeFilterSnapshot } from './shared/filter-snapshot.ts';
import type { StatusStore } from './status-store.ts';
import { cardCount } from './store-state.ts';
import type { StoreResult } from './store-transaction.ts';

/** Below so many entries a start surveys them in less time than a person notices: no file is kept. */
const MIN_ENTRIES_FOR_FILE = 50_000;
/** Changes after which the file is renewed: what a start replays, some 4 µs each. */
const SAVE_AFTER_CHANGES = 100_000;
const SAVE_CHECK_MS = 30_000;
/** Synced piece by piece, so that a save that has to end is not held up by a slow disk's whole backlog. */
const PIECE_BYTES = 4 * 1024 ** 2;

export type Saved = 'saved' | 'not-needed' | 'overtaken';

/**
 * Writes the filter as it is now, syncs it, and only then has the store name it. `overtaken`: entries came in
 * without log records meanwhile, so the file is void and the store does not name it. Aborted by `signal` it leaves
 * the file of before in place (code `TIME_UP`).
 */
export async function saveFilter(
  store: StatusStore,
  minEntries = MIN_ENTRIES_FOR_FILE,
  signal?: AbortSignal,
): Promise<StoreResult<Saved>> {
  let anchor: FilterAnchor | undefined;
  const { db, secret, dir } = store;
  const begun = store.transact((state, epoch) => {
    if (cardCount(state) < minEntries) return { commit: false, value: undefined };
    anchor = newAnchor(state.seq);
    const record = encodeAnchor(secret, epoch, anchor);
    db.meta.putSync(META_FILTER_SAVING, record);
    return { commit: true, value: { record, epoch: Buffer.from(epoch) } };
  });
  if (!begun.ok) return begun;
  if (begun.value === undefined || anchor === undefined) return { ok: true, value: 'not-needed' };
  const { record, epoch } = begun.value;
  const file = filterFile(dir, anchor);
  try {
    const { header, bits } = await encodeFilterSnapshot(secret, store.filter, { epoch, seq: anchor.seq });
    await writeDurably(file, [header, bits], signal);
    syncDirectory(dir);
  } catch (error) {
    rmSync(file, { force: true });
    return { ok: false, fault: 'io-error', code: (error as NodeJS.ErrnoException).code ?? 'unknown' };
  }
  const named = store.transact(() => {
    const isOurs = db.meta.get(META_FILTER_SAVING)?.equals(record) === true;
    if (isOurs) {
      db.meta.putSync(META_FILTER, record);
      db.meta.removeSync(META_FILTER_SAVING);
    }
    return { commit: isOurs, value: isOurs };
  });
  if (!named.ok) return named;
  if (!named.value) rmSync(file, { force: true });
  else dropOtherFilterFiles(dir, anchor);
  return { ok: true, value: named.value ? 'saved' : 'overtaken' };
}

async function writeDurably(
  file: string,
  parts: readonly Buffer[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const handle = await open(file, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    for (const part of parts) {
      for (let at = 0; at < part.length; at += PIECE_BYTES) {
        if (signal?.aborted) throw Object.assign(new Error('given up'), { code: 'TIME_UP' });
        await handle.writeFile(part.subarray(at, at + PIECE_BYTES));
        await handle.datasync();
      }
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export interface FilterSavingOptions {
  readonly store: StatusStore;
  /** Told when a save failed; the next start may then have to survey the store. */
  readonly onFault: (code: string) => void;
}

/**
 * Saves when the store has no file yet, has changed enough since, or has another filter in force than the file holds,
 * until the returned function is called, which saves a last time, within the time that it is given: what is cut off
 * then, the next start replays from the log.
 */
export function startFilterSaving({
  store,
  onFault,
}: FilterSavingOptions): (withinMs: number) => Promise<void> {
  const ending = new AbortController();
  let underWay: Promise<void> = Promise.resolve();
  let inFile = store.filter.shared;
  const save = async (afterChanges: number) => {
    const head = store.check();
    if (!head.ok) return;
    const anchor = anchorOf(store.db, store.secret, Buffer.from(store.epoch, 'hex'));
    const { shared } = store.filter;
    const isInFile = anchor !== undefined && shared === inFile;
    if (isInFile && head.value.seq - anchor.seq < afterChanges) return;
    // Not even begun: to copy and MAC the filter takes longer than is left.
    if (ending.signal.aborted) return onFault('TIME_UP');
    const saved = await store.background.run(() => saveFilter(store, MIN_ENTRIES_FOR_FILE, ending.signal));
    if (saved.ok) inFile = shared;
    else onFault(saved.code ?? saved.fault);
  };
  const queue = (afterChanges: number) => {
    underWay = underWay.then(() => save(afterChanges)).catch(() => onFault('unknown'));
    return underWay;
  };
  const timer = setInterval(() => void queue(SAVE_AFTER_CHANGES), SAVE_CHECK_MS);
  timer.unref();
  return async (withinMs) => {
    clearInterval(timer);
    if (withinMs <= 0) ending.abort();
    const timeUp = setTimeout(() => ending.abort(), withinMs);
    await queue(1);
    clearTimeout(timeUp);
  };
}
