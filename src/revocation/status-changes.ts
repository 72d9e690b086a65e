/**
 * Status changes as the admin interface asks for them: all or none, durable, enforced, then acknowledged.
 *
 * Order of enforcement: the transaction commits and is synced, the filter's bits are set for all workers,
 * then the caller gets its answer. A crash between leaves a change that holds and was not acknowledged.
 */

import type { StatusChange } from '../card-status.ts';
import type { Clock } from '../clock.ts';
import { cardHash, idempotencyHash } from './card-hash.ts';
import { type CardChange, digestChanges, type PlannedEntry, planChanges } from './change-plan.ts';
import type { FreshnessWriter } from './freshness.ts';
import { makeRoomForAnswer, recallAnswer, rememberAnswer } from './idempotency.ts';
import { trimLog } from './log-records.ts';
import { type ChangeWindow, confirms, issueConfirmToken, restoreChangeWindow } from './mass-change-limit.ts';
import { logKey } from './status-database.ts';
import { type CardEntry, decodeEntry, encodeEntry, isCardEntry } from './status-entry.ts';
import type { StatusStore } from './status-store.ts';
import { type StatusSummary, summaryOf } from './status-summary.ts';
import { foldEntry } from './store-digest.ts';
import type { StoreState } from './store-state.ts';
import type { Decision, StoreFault, StoreResult } from './store-transaction.ts';

export interface ChangeRequest {
  readonly changes: readonly StatusChange[];
  /** Of bounded length, which the admin interface checks. */
  readonly idempotencyKey?: string | undefined;
  /** The token of a `mass-change-held` answer to the same changes. */
  readonly confirm?: string | undefined;
}

/** Why nothing can be promised; beside the store's own faults, no room for another Idempotency-Key. */
export type UnavailableCause = StoreFault | 'unreadable-entry' | 'idempotency-full';

export type ChangeOutcome =
  /** Durable and enforced. `seq`: of the last change applied, or as it was if nothing changed. */
  | { readonly outcome: 'applied'; readonly seq: number }
  /** A change to a revoked card; `index` is its place in the call. */
  | { readonly outcome: 'revocation-final'; readonly index: number }
  | { readonly outcome: 'mass-change-held'; readonly token: string }
  | { readonly outcome: 'idempotency-key-reused' }
  /** The changes hold wholly or not at all; to be repeated. `code` is for the log. */
  | { readonly outcome: 'unavailable'; readonly cause: UnavailableCause; readonly code?: string };

export interface StatusChanges {
  applyChanges(request: ChangeRequest): ChangeOutcome;
  /** `undefined` when the store cannot vouch for itself. */
  summary(): StatusSummary | undefined;
}

export interface ChangesOptions {
  readonly store: StatusStore;
  readonly freshness: FreshnessWriter;
  readonly clock: Clock;
  /** Status changes in a sliding window above which a call is held. */
  readonly massChangeLimit: number;
  readonly massChangeWindowMs: number;
  /** Answers kept at most; beyond, calls with a new Idempotency-Key are refused. */
  readonly maxIdempotencyAnswers: number;
}

export function createStatusChanges(options: ChangesOptions): StatusChanges {
  const context: Context = { ...options, window: restoreChangeWindow(options) };
  return {
    applyChanges: (request) => applyChanges(context, request),
    summary: () => summaryOf(options.store),
  };
}

interface Context extends ChangesOptions {
  readonly window: ChangeWindow;
}

function applyChanges(context: Context, request: ChangeRequest): ChangeOutcome {
  const { store, clock, freshness, window } = context;
  const { secret } = store;
  const changes = request.changes.map((change) => hashed(secret.cardHashKey, change));
  const call: Call = {
    changes,
    digest: digestChanges(secret.confirmTokenKey, changes),
    keyHash: hashedKey(secret.idempotencyKey, request.idempotencyKey),
    confirm: request.confirm,
    nowMs: clock.wallMs(),
  };
  const written: Written = { entries: [], statusChanges: 0 };
  const result = store.transact((state) => decide(context, call, state, written));
  // Also when the commit failed: should it have reached the disk after all, workers must ask the exact copy.
  for (const { hash } of written.entries) store.filter.add(hash);
  if (!result.ok) return unavailable(result);
  if (result.value.outcome === 'applied') window.add(written.statusChanges);
  if (result.value.outcome === 'applied') freshness.publishSeq(result.value.seq);
  return result.value;
}

interface Call {
  readonly changes: readonly CardChange[];
  readonly digest: Buffer;
  readonly keyHash: Buffer | undefined;
  readonly confirm: string | undefined;
  readonly nowMs: number;
}

/** What the transaction's body wrote, known to the caller even if the commit fails. */
interface Written {
  entries: readonly PlannedEntry[];
  statusChanges: number;
}

/** The whole decision, in order: repeated call, transitions, mass-change guard, then the writes. */
function decide(context: Context, call: Call, state: StoreState, written: Written): Decision<ChangeOutcome> {
  const { store, window, massChangeLimit, maxIdempotencyAnswers } = context;
  const { db, secret } = store;
  const { nowMs, keyHash, digest } = call;
  if (keyHash !== undefined) {
    const remembered = recallAnswer(db, keyHash, nowMs);
    if (remembered === 'unreadable') return refuse({ outcome: 'unavailable', cause: 'damaged' });
    if (remembered !== undefined) {
      if (!remembered.changes.equals(digest)) return refuse({ outcome: 'idempotency-key-reused' });
      return refuse({ outcome: 'applied', seq: remembered.seq });
    }
  }
  const current = (hash: Buffer) => entryOf(store, hash);
  const plan = planChanges(call.changes, current, state.seq, nowMs);
  if (plan.kind === 'unreadable') return refuse({ outcome: 'unavailable', cause: 'unreadable-entry' });
  if (plan.kind === 'revocation-final') return refuse({ outcome: plan.kind, index: plan.index });
  const overLimit = plan.statusChanges > 0 && window.count() + plan.statusChanges > massChangeLimit;
  if (overLimit && !confirms(secret.confirmTokenKey, call.confirm ?? '', digest, nowMs)) {
    const token = issueConfirmToken(secret.confirmTokenKey, digest, nowMs);
    return refuse({ outcome: 'mass-change-held', token });
  }
  if (keyHash !== undefined && !makeRoomForAnswer(db, nowMs, maxIdempotencyAnswers)) {
    return refuse({ outcome: 'unavailable', cause: 'idempotency-full' });
  }
  written.entries = plan.entries;
  written.statusChanges = plan.statusChanges;
  for (const entry of plan.entries) writeEntry(store, state, entry);
  trimLog(db, state.seq, plan.entries.length);
  if (plan.entries.length > 0) state.lastChangeMs = nowMs;
  if (keyHash !== undefined) rememberAnswer(db, keyHash, { seq: state.seq, changes: digest }, nowMs);
  const commit = plan.entries.length > 0 || keyHash !== undefined;
  return { commit, value: { outcome: 'applied', seq: state.seq } };
}

/** An answer that writes nothing. */
function refuse(value: ChangeOutcome): Decision<ChangeOutcome> {
  return { commit: false, value };
}

/** Writes one effective change: the card's entry, its log record, and the state that accounts for both. */
function writeEntry(store: StatusStore, state: StoreState, { hash, before, after }: PlannedEntry): void {
  const { db, secret } = store;
  const old = db.cards.get(hash);
  if (old !== undefined) foldEntry(state.digest, hash, Buffer.from(old), -1);
  const record = encodeEntry(secret.entryMacKey, hash, after);
  foldEntry(state.digest, hash, record, 1);
  if (before !== undefined) state[COUNTER[before.status]]--;
  state[COUNTER[after.status]]++;
  state.seq = after.seq;
  db.cards.putSync(hash, record);
  db.log.putSync(logKey(after.seq), Buffer.concat([hash, record]));
}

const COUNTER = { active: 'reinstated', suspended: 'suspended', revoked: 'revoked' } as const;

function entryOf(store: StatusStore, hash: Buffer): CardEntry | undefined | 'unreadable' {
  const bytes = store.db.cards.get(hash);
  if (bytes === undefined) {
    // While the copy is not known to be complete, what the filter knows may be an entry that is missing.
    return !store.completeness.isComplete() && store.filter.mightContain(hash) ? 'unreadable' : undefined;
  }
  const entry = decodeEntry(store.secret.entryMacKey, hash, bytes);
  return entry !== undefined && isCardEntry(entry) ? entry : 'unreadable';
}

function hashed(key: Uint8Array, change: StatusChange): CardChange {
  const { iss, jti, status, why, expiresAt = Infinity } = change;
  if (Number.isNaN(expiresAt)) throw new RangeError('expiresAt is not a number');
  return { hash: cardHash(key, iss, jti), status, why, expiresAt };
}

function hashedKey(key: Uint8Array, idempotencyKey: string | undefined): Buffer | undefined {
  return idempotencyKey === undefined ? undefined : idempotencyHash(key, idempotencyKey);
}

/** What a call is told when the store could not vouch for a transaction. */
export function unavailable(result: Extract<StoreResult<unknown>, { ok: false }>): ChangeOutcome {
  const { fault: cause, code } = result;
  return code === undefined ? { outcome: 'unavailable', cause } : { outcome: 'unavailable', cause, code };
}
