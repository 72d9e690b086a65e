/**
 * The store's files: one LMDB environment, opened by path in the main thread to write and in each worker to
 * read; LMDB shares it within the process. A commit is written, fdatasync'ed and its meta page written
 * through O_DSYNC before `transactionSync` returns, because `overlappingSync` is off.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, open, type RootDatabase } from 'lmdb';

type Binary = Database<Buffer, Buffer>;

export interface StatusDatabase {
  readonly root: RootDatabase<Buffer, Buffer>;
  /** header, state, owner: see `store-state.ts`. */
  readonly meta: Binary;
  /** Card hash → entry. */
  readonly cards: Binary;
  /** Sequence number (8 bytes, big-endian) → hash and entry. */
  readonly log: Binary;
  /** Issuer key hash → entry. */
  readonly retirements: Binary;
  /** Idempotency hash → instant, answer, digest of what was asked. */
  readonly idempotency: Binary;
  /** Instant (8 bytes, big-endian) and idempotency hash → nothing: what to forget first. */
  readonly idempotencyByTime: Binary;
}

/**
 * Address space reserved for the map, not memory and not disk. lmdb-js would grow a smaller map by mapping
 * it anew while workers read through the old one; a reservation this large never has to grow.
 */
const DEFAULT_MAP_SIZE_BYTES = 2 ** 36;

const NAMED_DATABASES = 6;

export function storeFiles(dir: string): { data: string; lock: string } {
  return { data: join(dir, 'data.mdb'), lock: join(dir, 'lock.mdb') };
}

/** Opens the databases; throws what LMDB or the file system throws. */
export function openDatabase(
  dir: string,
  mode: 'write' | 'read',
  mapSizeBytes = DEFAULT_MAP_SIZE_BYTES,
): StatusDatabase {
  const options = {
    path: dir,
    noSubdir: false,
    overlappingSync: false,
    encoding: 'binary' as const,
    keyEncoding: 'binary' as const,
    maxDbs: NAMED_DATABASES + 2,
    mapSize: mapSizeBytes,
    readOnly: mode === 'read',
    // Known to lmdb-js, missing in its typings.
    permissionsMode: 0o600,
  };
  const root = open<Buffer, Buffer>(options);
  const named = (name: string): Binary =>
    root.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' });
  return {
    root,
    meta: named('meta'),
    cards: named('cards'),
    log: named('log'),
    retirements: named('retirements'),
    idempotency: named('idempotency'),
    idempotencyByTime: named('idempotency-by-time'),
  };
}

/** A log record's key; bytes sort as sequence numbers do. */
export function logKey(seq: number): Buffer {
  const key = Buffer.alloc(8);
  key.writeBigUInt64BE(BigInt(seq));
  return key;
}

/**
 * Which files these are: device and inode of both. A store removed and made again, or another one moved into
 * its place, has another identity. `undefined` when a file is missing or the data file was cut short.
 */
export function storeIdentity(dir: string): string | undefined {
  const { data, lock } = storeFiles(dir);
  try {
    const dataStat = statSync(data);
    const lockStat = statSync(lock);
    if (dataStat.size < MIN_DATA_BYTES) return undefined;
    return `${dataStat.dev}:${dataStat.ino}:${lockStat.dev}:${lockStat.ino}`;
  } catch {
    return undefined;
  }
}

/** Two meta pages: no LMDB file that was ever committed is shorter, and LMDB takes an empty one for new. */
const MIN_DATA_BYTES = 2 * 4096;

/** Where LMDB's meta page (this build's data format) holds what is needed here. */
const MAGIC_AT = 24;
const MAGIC = 0xbeefc0de;
const PAGE_SIZE_AT = 48;
const LAST_PAGE_AT = 144;
const META_BYTES = 168;

/**
 * Makes a data file that lost its tail safe to read: LMDB reads through a memory map, and a page beyond the
 * end of the file would kill the process (SIGBUS). Padded with zeros it is an error to LMDB instead, or fails
 * the digest, or was a free page and does not matter.
 *
 * @returns false when the file is no LMDB data file at all.
 */
export function padDataFile(file: string): boolean {
  const fd = openSync(file, 'r+');
  try {
    const { size } = fstatSync(fd);
    if (size < MIN_DATA_BYTES) return false;
    const first = readMeta(fd, 0);
    const second = first && readMeta(fd, first.pageSize);
    if (first === undefined || second === undefined) return false;
    const wanted = (Math.max(first.lastPage, second.lastPage) + 1) * first.pageSize;
    if (size < wanted) ftruncateSync(fd, wanted);
    return true;
  } finally {
    closeSync(fd);
  }
}

function readMeta(fd: number, at: number): { pageSize: number; lastPage: number } | undefined {
  const page = Buffer.alloc(META_BYTES);
  if (readSync(fd, page, 0, META_BYTES, at) !== META_BYTES) return undefined;
  const pageSize = page.readUInt32LE(PAGE_SIZE_AT);
  const lastPage = Number(page.readBigUInt64LE(LAST_PAGE_AT));
  const plausible = pageSize >= 4096 && pageSize <= 65_536 && lastPage * pageSize < 2 ** 46;
  return page.readUInt32LE(MAGIC_AT) === MAGIC && plausible ? { pageSize, lastPage } : undefined;
}

/**
 * Gives the lock file real blocks, by writing one byte of each page back as it is. LMDB makes the file sparse
 * and claims reader slots through a memory map: on a full disk the first reader to touch a new page of it
 * would kill the process (SIGBUS). Called before there are readers.
 */
export function fillLockFile(file: string): void {
  const fd = openSync(file, 'r+');
  try {
    const { size } = fstatSync(fd);
    const byte = Buffer.alloc(1);
    for (let page = 0; page < size; page += 4096) {
      const at = Math.min(page + 4095, size - 1);
      readSync(fd, byte, 0, 1, at);
      writeSync(fd, byte, 0, 1, at);
    }
  } finally {
    closeSync(fd);
  }
}
