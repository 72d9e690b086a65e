/**
 * Exact answers from the store: what a worker asks after the filter said "perhaps".
 *
 * A failure to read is an answer of its own, `unreadable`, and never "active": the caller must treat it as
 * "cannot tell" (promise 7).
 */

import type { CardStatus, StatusReason } from '../card-status.ts';
import type { Completeness } from './completeness.ts';
import type { DeploymentSecret } from './deployment-secret.ts';
import { openDatabase, type StatusDatabase, storeIdentity } from './status-database.ts';
import { decodeEntry, isCardEntry, KEY_RETIRED, SUPERSEDED } from './status-entry.ts';
import type { SupersedeAnswer } from './superseded.ts';

export type StatusAnswer =
  | { readonly status: 'unreadable' }
  | {
      readonly status: CardStatus;
      /** Milliseconds since the epoch; absent for a card whose status never changed. */
      readonly sinceMs?: number;
      readonly why?: StatusReason;
    };

export type RetirementAnswer = 'retired' | 'not-retired' | 'unreadable';

export interface StatusReader {
  /**
   * The status of a card by its hash, as of all changes acknowledged before the call, in any thread. To be asked
   * only of cards that the filter does not rule out: while the copy is not complete, nothing in it makes a card `active`: then it is `unreadable`.
   */
  statusOf(hash: Buffer): StatusAnswer;
  /** What is held against a holder's older credentials, by the holder's hash; the same holds. */
  supersedeOf(hash: Buffer): SupersedeAnswer;
  /** Whether an issuer key was retired, by its hash. */
  retirementOf(hash: Buffer): RetirementAnswer;
}

export type ReaderOutcome =
  | { readonly ok: true; readonly reader: StatusReader; close(): Promise<void> }
  | { readonly ok: false; readonly fault: 'store-replaced' | 'unreadable' };

export interface ReaderOptions {
  readonly dir: string;
  /** What the main thread opened (`StatusStore.identity`): a filter belongs to one store only. */
  readonly identity: string;
  readonly secret: DeploymentSecret;
  /** The main thread's (`StatusStore.completeness`): what the absence of an entry means. */
  readonly completeness: Completeness;
}

/** Opens the store for reading in a worker of the process whose main thread has it open. */
export function openStatusReader(options: ReaderOptions): ReaderOutcome {
  const { dir, identity, secret } = options;
  // Before opening, since LMDB would make files that are missing.
  if (storeIdentity(dir) !== identity) return { ok: false, fault: 'store-replaced' };
  let db: StatusDatabase;
  try {
    db = openDatabase(dir, 'read');
  } catch {
    return { ok: false, fault: 'unreadable' };
  }
  return { ok: true, reader: readerOf(db, secret, options.completeness), close: () => db.root.close() };
}

export function readerOf(
  db: StatusDatabase,
  secret: DeploymentSecret,
  completeness: Completeness,
): StatusReader {
  const macKey = secret.entryMacKey;
  // lmdb-js keeps a thread's read transaction, hence its snapshot, until the event-loop turn ends: without a
  // reset a revocation acknowledged a moment ago would not be seen.
  const current = (database: StatusDatabase['cards'], hash: Buffer) => {
    db.root.resetReadTxn();
    return database.get(hash);
  };
  return {
    statusOf(hash) {
      try {
        const bytes = current(db.cards, hash);
        if (bytes === undefined) return { status: completeness.isComplete() ? 'active' : 'unreadable' };
        const entry = decodeEntry(macKey, hash, bytes);
        if (entry === undefined || !isCardEntry(entry)) return { status: 'unreadable' };
        const { status, sinceMs, why } = entry;
        // An older page come back shows an older entry, in itself authentic: it must not clear a card either.
        if (status === 'active' && !completeness.isComplete()) return { status: 'unreadable' };
        return why === undefined ? { status, sinceMs } : { status, sinceMs, why };
      } catch {
        return { status: 'unreadable' };
      }
    },
    supersedeOf(hash) {
      try {
        const bytes = current(db.cards, hash);
        const isLatest = completeness.isComplete();
        if (bytes === undefined) return { status: isLatest ? 'active' : 'unreadable' };
        const entry = decodeEntry(macKey, hash, bytes);
        if (entry?.status !== SUPERSEDED) return { status: 'unreadable' };
        const { status, issuedBefore, sinceMs, why } = entry;
        return { status, issuedBefore, sinceMs, why, isLatest };
      } catch {
        return { status: 'unreadable' };
      }
    },
    retirementOf(hash) {
      try {
        const bytes = current(db.retirements, hash);
        if (bytes === undefined) return 'not-retired';
        return decodeEntry(macKey, hash, bytes)?.status === KEY_RETIRED ? 'retired' : 'unreadable';
      } catch {
        return 'unreadable';
      }
    },
  };
}
