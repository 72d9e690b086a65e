/**
 * A gateway's disk and the copy on it, as the contract has it: every call one transaction, done or not when the
 * process dies. Entries can rot; the state record then says what was written, until an audit.
 */
import type { CopyHead, ReplicaCopy } from '../../src/revocation/shared/replica-copy.ts';
import type { HashedEntry } from '../../src/revocation/shared/shared-log.ts';
import { winner } from '../../src/revocation/shared/winner.ts';
import {
  authenticFields,
  decodeEntry,
  liftsFinal,
  type StatusEntry,
} from '../../src/revocation/status-entry.ts';
import { accountEntry, sameEntries } from '../../src/revocation/store-account.ts';
import { emptyState, type StoreState } from '../../src/revocation/store-state.ts';
import type { StoreResult } from '../../src/revocation/store-transaction.ts';

export interface Disk {
  epoch: Buffer;
  state: StoreState;
  whole: boolean;
  readonly entries: Map<string, HashedEntry>;
  /** Full or failing: writes are refused. */
  failing: boolean;
  /** The process dies in its next write: before the commit, or after it and before it returns. */
  dieAt: 'before' | 'after' | undefined;
}

export function newDisk(epoch: Buffer): Disk {
  const fields = { epoch, state: emptyState(), whole: true, entries: new Map() };
  return { ...fields, failing: false, dieAt: undefined };
}

/** What a process is killed with in mid-call. */
export class Killed extends Error {}

/** MACs checked once for each buffer: the same few entries are read over and over. */
const decoded = new WeakMap<Buffer, { readonly entry: StatusEntry | undefined }>();

export function decodedEntry(macKey: Uint8Array, { hash, entry }: HashedEntry): StatusEntry | undefined {
  const known = decoded.get(entry);
  if (known !== undefined) return known.entry;
  const fresh = decodeEntry(macKey, hash, entry);
  decoded.set(entry, { entry: fresh });
  return fresh;
}

export function createModelCopy(
  disk: Disk,
  macKey: Uint8Array,
  process: { readonly alive: () => boolean; readonly die: () => void },
): ReplicaCopy {
  const write = <T>(action: () => T): StoreResult<T> => {
    if (!process.alive()) throw new Killed();
    const { dieAt } = disk;
    disk.dieAt = undefined;
    if (dieAt === 'before') {
      process.die();
      throw new Killed();
    }
    if (disk.failing) return { ok: false, fault: 'io-error', code: 'ENOSPC' };
    const value = action();
    if (dieAt === 'after') {
      process.die();
      throw new Killed();
    }
    return { ok: true, value };
  };
  const authentic = (entry: HashedEntry) => decodedEntry(macKey, entry) !== undefined;
  const replace = (next: HashedEntry) => {
    const name = next.hash.toString('hex');
    const old = disk.entries.get(name);
    if (old !== undefined) accountEntry(disk.state, old.hash, old.entry, -1);
    accountEntry(disk.state, next.hash, next.entry, 1);
    disk.entries.set(name, next);
  };
  const head = (): CopyHead => ({
    epoch: disk.epoch,
    seq: disk.state.seq,
    state: { ...disk.state, digest: Uint32Array.from(disk.state.digest) },
    whole: disk.whole,
  });
  return {
    head: () => ({ ok: true, value: head() }),
    entryOf: (hash) => ({ ok: true, value: disk.entries.get(hash.toString('hex'))?.entry }),
    apply: (records) => {
      const seqs = records.map(({ seq }) => seq - disk.state.seq);
      if (seqs.some((ahead, i) => ahead !== i + 1)) throw new Error('records that do not continue the copy');
      if (records.some((record) => isUndone(disk, record))) return { ok: false, fault: 'damaged' };
      return write(() => {
        for (const { seq, hash, entry } of records) {
          const old = disk.entries.get(hash.toString('hex'));
          if (
            old === undefined ||
            !authentic({ hash, entry: old.entry }) ||
            authenticFields(old.entry).seq < seq
          )
            replace({ hash, entry });
          disk.state.seq = seq;
        }
        return head();
      });
    },
    beginReconciliation: () =>
      write(() => {
        disk.whole = false;
      }),
    merge: (entries) =>
      write(() => {
        for (const entry of entries) {
          if (!authentic(entry)) throw new Error('merged without a check');
          const old = disk.entries.get(entry.hash.toString('hex'));
          if (old === undefined || !authentic(old) || winner(old.entry, entry.entry) === entry.entry) {
            replace(entry);
          }
        }
      }),
    quarantine: (hashes) =>
      write(() => {
        for (const hash of hashes) {
          const old = disk.entries.get(hash.toString('hex'));
          if (old === undefined || authentic(old)) continue;
          accountEntry(disk.state, old.hash, old.entry, -1);
          disk.entries.set(hash.toString('hex'), { hash, entry: Buffer.alloc(0) });
        }
      }),
    entriesAfter: (hash, limit) => {
      const names = [...disk.entries.keys()].sort();
      const later = hash === undefined ? names : names.filter((name) => name > hash.toString('hex'));
      const entries = later.map((name) => disk.entries.get(name) as HashedEntry);
      return { ok: true, value: entries.filter(({ entry }) => entry.length > 0).slice(0, limit) };
    },
    adopt: (epoch, seq) =>
      write(() => {
        disk.epoch = epoch;
        disk.state.seq = seq;
        disk.whole = true;
        return head();
      }),
    audit: async () => {
      const found = { ...emptyState(), seq: disk.state.seq, lastChangeMs: disk.state.lastChangeMs };
      for (const { hash, entry } of disk.entries.values()) accountEntry(found, hash, entry, 1);
      const sound = sameEntries(found, disk.state);
      if (!sound) {
        disk.state = found;
        disk.whole = false;
      }
      return { ok: true, value: { sound } };
    },
  };
}

/** A later record that would make something else of a revocation, or set the instant of a supersede back. */
function isUndone(disk: Disk, { seq, hash, entry }: HashedEntry & { readonly seq: number }): boolean {
  const old = disk.entries.get(hash.toString('hex'))?.entry;
  return old !== undefined && liftsFinal(old, entry) && authenticFields(old).seq < seq;
}
