/**
 * The filter's file beside the store, so that a start needs not look at every entry.
 *
 * The file alone proves nothing: the store names it. An anchor record in the store, under a MAC, says "this file
 * holds everything up to this seq", and was committed after the file was synced; the log records since then lead
 * on from there. So a store that was restored from a backup, or a file from another day, do not fit together and
 * the start falls back on the survey. Whatever enters the store without a log record takes the anchor away in the
 * same transaction (`forgetFilterFile`).
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { FilterWriter } from './bloom-filter.ts';
import { HASH_BYTES } from './card-hash.ts';
import type { DeploymentSecret } from './deployment-secret.ts';
import {
  parseFilterSnapshot,
  type SnapshotRefusal,
  splitFilterSnapshot,
  type WantedFilter,
} from './shared/filter-snapshot.ts';
import { logKey, type StatusDatabase } from './status-database.ts';
import { decodeEntry, KEY_RETIRED } from './status-entry.ts';
import type { StoreState } from './store-state.ts';

/** Where the anchors stand in the store's `meta`: of the file in force, and of one being written. */
export const META_FILTER = Buffer.from('filter');
export const META_FILTER_SAVING = Buffer.from('filter-saving');

/** Names one file, and up to where it holds everything. */
export interface FilterAnchor {
  /** 16 random bytes. */
  readonly name: Buffer;
  readonly seq: number;
}

const NAME_BYTES = 16;
const ANCHOR_MAC_AT = NAME_BYTES + 8;
const ANCHOR_BYTES = ANCHOR_MAC_AT + 16;

export function newAnchor(seq: number): FilterAnchor {
  return { name: randomBytes(NAME_BYTES), seq };
}

export function filterFile(dir: string, anchor: FilterAnchor): string {
  return join(dir, `filter-${anchor.name.toString('hex')}`);
}

export function encodeAnchor(secret: DeploymentSecret, epoch: Buffer, anchor: FilterAnchor): Buffer {
  const bytes = Buffer.alloc(ANCHOR_BYTES);
  anchor.name.copy(bytes, 0);
  bytes.writeDoubleBE(anchor.seq, NAME_BYTES);
  anchorMac(secret, epoch, bytes).copy(bytes, ANCHOR_MAC_AT);
  return bytes;
}

/** The file that the store names, if any. */
export function anchorOf(
  db: StatusDatabase,
  secret: DeploymentSecret,
  epoch: Buffer,
): FilterAnchor | undefined {
  const bytes = db.meta.get(META_FILTER);
  if (bytes?.length !== ANCHOR_BYTES) return undefined;
  if (!timingSafeEqual(bytes.subarray(ANCHOR_MAC_AT), anchorMac(secret, epoch, bytes))) return undefined;
  return { name: Buffer.from(bytes.subarray(0, NAME_BYTES)), seq: bytes.readDoubleBE(NAME_BYTES) };
}

function anchorMac(secret: DeploymentSecret, epoch: Buffer, record: Buffer): Buffer {
  const mac = createHmac('sha256', secret.filterMacKey).update('vigie/1/filter-anchor').update(epoch);
  return mac
    .update(record.subarray(0, ANCHOR_MAC_AT))
    .digest()
    .subarray(0, ANCHOR_BYTES - ANCHOR_MAC_AT);
}

/** In a transaction that brings entries in without log records, or changes the epoch. */
export function forgetFilterFile(db: StatusDatabase): void {
  for (const key of [META_FILTER, META_FILTER_SAVING]) {
    if (db.meta.get(key) !== undefined) db.meta.removeSync(key);
  }
}

/** Removes files that the store no longer names, or never came to name. Never fails: they only take room. */
export function dropOtherFilterFiles(dir: string, keep: FilterAnchor | undefined): void {
  const kept = keep && `filter-${keep.name.toString('hex')}`;
  try {
    for (const name of readdirSync(dir)) {
      if (/^filter-[0-9a-f]{32}$/.test(name) && name !== kept) rmSync(join(dir, name), { force: true });
    }
  } catch {
    // Tried again after the next save.
  }
}

export type FileRefusal =
  /** The store names no file: none was written yet, or a reconciliation began. */
  | 'none'
  | 'unreadable'
  | SnapshotRefusal
  /** An authentic snapshot, but not the one that the store names. */
  | 'other-snapshot'
  /** The log does not lead on from it without a gap. */
  | 'log-gap'
  /** The retired keys are not those that the state record accounts for. */
  | 'retirements';

export type LoadedFilter =
  | { readonly ok: true; readonly filter: FilterWriter; readonly replayed: number }
  | { readonly ok: false; readonly because: FileRefusal };

/**
 * The filter as of the store's last change, from its file and the log since; `state` is the authentic state
 * record. Says nothing about the entries themselves but for retired keys, which have no filter before them and
 * are checked one and all.
 */
export async function loadFilter(
  db: StatusDatabase,
  place: { readonly dir: string; readonly secret: DeploymentSecret; readonly epoch: Buffer },
  state: StoreState,
  wanted: WantedFilter,
): Promise<LoadedFilter> {
  const { dir, secret, epoch } = place;
  const anchor = anchorOf(db, secret, epoch);
  if (anchor === undefined || anchor.seq > state.seq) return { ok: false, because: 'none' };
  let bytes: Buffer;
  try {
    bytes = readFileSync(filterFile(dir, anchor));
  } catch {
    return { ok: false, because: 'unreadable' };
  }
  const parsed = await parseFilterSnapshot(secret, splitFilterSnapshot(bytes), wanted);
  if (!parsed.ok) return { ok: false, because: parsed.reason };
  const { filter, seq } = parsed;
  if (!parsed.epoch.equals(epoch) || seq !== anchor.seq) return { ok: false, because: 'other-snapshot' };
  if (!replay(db, secret, filter, seq, state.seq)) return { ok: false, because: 'log-gap' };
  if (!areRetirementsWhole(db, secret, state.retiredKeys)) return { ok: false, because: 'retirements' };
  return { ok: true, filter, replayed: state.seq - seq };
}

/** Adds the cards of the log records after `from`; false unless every one up to `to` is there and authentic. */
function replay(
  db: StatusDatabase,
  secret: DeploymentSecret,
  filter: FilterWriter,
  from: number,
  to: number,
): boolean {
  let next = from + 1;
  for (const { value } of db.log.getRange({ start: logKey(next), end: logKey(to), inclusiveEnd: true })) {
    const hash = value.subarray(0, HASH_BYTES);
    const entry = decodeEntry(secret.entryMacKey, hash, value.subarray(HASH_BYTES));
    if (entry?.seq !== next) return false;
    if (entry.status !== 'active' && entry.status !== KEY_RETIRED) filter.addUnshared(hash);
    next++;
  }
  return next === to + 1;
}

function areRetirementsWhole(db: StatusDatabase, secret: DeploymentSecret, count: number): boolean {
  let whole = 0;
  for (const hash of db.retirements.getKeys({})) {
    const entry = db.retirements.get(hash);
    if (entry === undefined || decodeEntry(secret.entryMacKey, hash, entry)?.status !== KEY_RETIRED)
      return false;
    whole++;
  }
  return whole === count;
}
