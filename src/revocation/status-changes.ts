/**
 * Status changes as the admin interface asks for them: all or none, durable, enforced, then acknowledged.
 *
 * Order of enforcement: the transaction commits and is synced, the filter's bits are set for all workers,
 * then the caller gets its answer. A crash between leaves a change that holds and was not acknowledged.
 */
import type { Clock } from '../clock.ts';
import {
  type Call,
  type ChangeOutcome,
  type ChangeRequest,
  judgeCall,
  readCall,
  repeatedAnswer,
  unavailable,
} from './change-call.ts';
import type { ChangeableEntry, PlannedEntry } from './change-plan.ts';
import type { FreshnessWriter } from './freshness.ts';
import { makeRoomForAnswer, recallAnswer, rememberAnswer } from './idempotency.ts';
import { trimLog } from './log-records.ts';
import { type ChangeWindow, restoreChangeWindow } from './mass-change-limit.ts';
import { logKey } from './status-database.ts';
import { decodeEntry, encodeEntry, KEY_RETIRED, SUPERSEDED } from './status-entry.ts';
import type { StatusStore } from './status-store.ts';
import { type StatusSummary, summaryOf } from './status-summary.ts';
import { accountEntry } from './store-account.ts';
import type { StoreState } from './store-state.ts';
import type { Decision } from './store-transaction.ts';

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
  /** Hash of a card that the limit neither counts nor holds. */
  readonly uncounted?: Buffer;
  /** Answers kept at most; beyond, calls with a new Idempotency-Key are refused. */
  readonly maxIdempotencyAnswers: number;
  /** Told of changes of status that every worker enforces now, and of the time since their call came in. */
  readonly onEnforced?: (statusChanges: number, tookMs: number) => void;
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
  const { store, clock, freshness, window, onEnforced } = context;
  const beganMs = clock.monotonicMs();
  const call = readCall(store.secret, request, clock.wallMs());
  const written: Written = { entries: [], statusChanges: 0 };
  const result = store.transact((state) => decide(context, call, state, written));
  // Also when the commit failed: should it have reached the disk after all, workers must ask the exact copy.
  for (const { hash, after } of written.entries) {
    if (after.status === SUPERSEDED) store.supersedes.raise();
    store.filter.add(hash);
  }
  if (!result.ok) return unavailable(result);
  if (result.value.outcome !== 'applied') return result.value;
  window.add(written.statusChanges);
  freshness.publishSeq(result.value.seq);
  onEnforced?.(written.statusChanges, clock.monotonicMs() - beganMs);
  return result.value;
}

/** What the transaction's body wrote, known to the caller even if the commit fails. */
interface Written {
  entries: readonly PlannedEntry[];
  statusChanges: number;
}

/** The whole decision, in order: repeated call, then what the changes come to, then the writes. */
function decide(context: Context, call: Call, state: StoreState, written: Written): Decision<ChangeOutcome> {
  const { store, maxIdempotencyAnswers } = context;
  const { db } = store;
  const { nowMs, keyHash, digest } = call;
  if (keyHash !== undefined) {
    const remembered = recallAnswer(db, keyHash, nowMs);
    if (remembered === 'unreadable') return refuse({ outcome: 'unavailable', cause: 'damaged' });
    if (remembered !== undefined) return refuse(repeatedAnswer(call, remembered));
  }
  const current = (hash: Buffer) => entryOf(store, hash);
  const plan = judgeCall(
    { ...context, confirmTokenKey: store.secret.confirmTokenKey },
    call,
    current,
    state.seq,
  );
  if ('outcome' in plan) return refuse(plan);
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
function writeEntry(store: StatusStore, state: StoreState, { hash, after }: PlannedEntry): void {
  const { db, secret } = store;
  const old = db.cards.get(hash);
  if (old !== undefined) accountEntry(state, hash, Buffer.from(old), -1);
  const record = encodeEntry(secret.entryMacKey, hash, after);
  accountEntry(state, hash, record, 1);
  state.seq = after.seq;
  db.cards.putSync(hash, record);
  db.log.putSync(logKey(after.seq), Buffer.concat([hash, record]));
}

function entryOf(store: StatusStore, hash: Buffer): ChangeableEntry | undefined | 'unreadable' {
  const bytes = store.db.cards.get(hash);
  if (bytes === undefined) {
    // While the copy is not known to be complete, what the filter knows may be an entry that is missing.
    return !store.completeness.isComplete() && store.filter.mightContain(hash) ? 'unreadable' : undefined;
  }
  const entry = decodeEntry(store.secret.entryMacKey, hash, bytes);
  return entry !== undefined && entry.status !== KEY_RETIRED ? entry : 'unreadable';
}
