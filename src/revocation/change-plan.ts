/**
 * What a call's changes come to: pure, decided before anything is written.
 *
 * Transitions: anything may become `revoked`; `suspended` and `active` only what is not revoked (final).
 * Repeating a status changes nothing, but for an expiry that is later than the one known: the latest ever
 * named stands, and no expiry named means never. It never ends a revocation or suspension (store-start.ts).
 * Of supersedes the latest instant stands: an earlier one changes nothing, and is no error.
 */
import { createHmac } from 'node:crypto';
import type { CardStatus, StatusReason } from '../card-status.ts';
import {
  type CardEntry,
  DAY_SECONDS,
  reasonCode,
  SUPERSEDED,
  type SupersedeEntry,
  statusCode,
  wholeDay,
} from './status-entry.ts';

export interface CardChange {
  /** Keyed hash of (iss, jti). */
  readonly hash: Buffer;
  readonly status: CardStatus;
  readonly why: StatusReason | undefined;
  /** Seconds since the epoch; Infinity when the call names none. */
  readonly expiresAt: number;
}

export interface SupersedeChange {
  /** Keyed hash of (iss, sub). */
  readonly hash: Buffer;
  readonly status: typeof SUPERSEDED;
  /** Seconds since the epoch. */
  readonly issuedBefore: number;
  /** Seconds since the epoch, as named; Infinity when the call names none. */
  readonly expiresAt: number;
}

/** What a change can find, and what it can make of it. */
export type ChangeableEntry = CardEntry | SupersedeEntry;

export interface PlannedEntry {
  readonly hash: Buffer;
  readonly before: ChangeableEntry | undefined;
  readonly after: ChangeableEntry;
}

export type ChangePlan =
  | {
      readonly kind: 'plan';
      /** In order, one for each effective change; the same card may stand several times. */
      readonly entries: readonly PlannedEntry[];
      /** Entries that change a status, not only an expiry, of cards that count: what the mass-change limit counts. */
      readonly statusChanges: number;
    }
  | { readonly kind: 'revocation-final'; readonly index: number }
  | { readonly kind: 'unreadable' };

/**
 * Plans changes in order, each judged on the outcome of those before it, all or none.
 *
 * @param current the entry a card has now; `unreadable` when it has one that cannot be trusted.
 * @param counts whether a change of this card counts towards the mass-change limit.
 */
export function planChanges(
  changes: readonly (CardChange | SupersedeChange)[],
  current: (hash: Buffer) => ChangeableEntry | undefined | 'unreadable',
  seq: number,
  nowMs: number,
  counts: (hash: Buffer) => boolean,
): ChangePlan {
  const planned = new Map<string, ChangeableEntry>();
  const entries: PlannedEntry[] = [];
  let statusChanges = 0;
  for (const [index, change] of changes.entries()) {
    const name = change.hash.toString('latin1');
    const before = planned.get(name) ?? current(change.hash);
    if (before === 'unreadable') return { kind: 'unreadable' };
    const after = entryAfter(before, change, seq + entries.length + 1, nowMs);
    if (after === 'unreadable') return { kind: 'unreadable' };
    if (after === 'final') return { kind: 'revocation-final', index };
    if (after === undefined) continue;
    planned.set(name, after);
    entries.push({ hash: change.hash, before, after });
    if (!after.extendsOnly && counts(change.hash)) statusChanges++;
  }
  return { kind: 'plan', entries, statusChanges };
}

/** As below; `unreadable`: the hash names a card and the entry is of a holder, or the other way round. */
function entryAfter(
  before: ChangeableEntry | undefined,
  change: CardChange | SupersedeChange,
  seq: number,
  nowMs: number,
): ChangeableEntry | undefined | 'final' | 'unreadable' {
  if (change.status === SUPERSEDED) {
    return before === undefined || before.status === SUPERSEDED
      ? superseding(before, change, seq, nowMs)
      : 'unreadable';
  }
  return before?.status === SUPERSEDED ? 'unreadable' : transition(before, change, seq, nowMs);
}

function superseding(
  before: SupersedeEntry | undefined,
  change: SupersedeChange,
  seq: number,
  nowMs: number,
): SupersedeEntry | undefined {
  const { issuedBefore } = change;
  if (before === undefined || issuedBefore > before.issuedBefore) {
    const known = before === undefined ? 0 : knownAt(before.expiresAt, nowMs);
    const expiresAt = Math.max(known, wholeDay(change.expiresAt, nowMs));
    const why = 'superseded';
    return { status: SUPERSEDED, why, issuedBefore, sinceMs: nowMs, expiresAt, seq, extendsOnly: false };
  }
  const expiresAt = Math.max(before.expiresAt, wholeDay(change.expiresAt, before.sinceMs));
  return expiresAt === before.expiresAt ? undefined : { ...before, expiresAt, seq, extendsOnly: true };
}

/** The expiry known of an earlier supersede, by the day: on that day nobody knows whether it has passed, so it has. */
function knownAt(day: number, nowMs: number): number {
  const dayBefore = day - DAY_SECONDS;
  return dayBefore * 1000 < nowMs && nowMs < day * 1000 ? dayBefore : day;
}

/** The entry after a change, `undefined` if it has no effect, `final` if it would lift a revocation. */
function transition(
  before: CardEntry | undefined,
  change: CardChange,
  seq: number,
  nowMs: number,
): CardEntry | undefined | 'final' {
  const { status, why } = change;
  if (before === undefined) {
    if (status === 'active') return undefined;
    return { status, why, sinceMs: nowMs, expiresAt: change.expiresAt, seq, extendsOnly: false };
  }
  if (before.status === 'revoked' && status !== 'revoked') return 'final';
  const expiresAt = Math.max(before.expiresAt, change.expiresAt);
  if (before.status !== status) return { status, why, sinceMs: nowMs, expiresAt, seq, extendsOnly: false };
  if (expiresAt === before.expiresAt) return undefined;
  return { ...before, expiresAt, seq, extendsOnly: true };
}

/** A keyed digest of what a call asks for, order included: what tokens and idempotency keys are bound to. */
export function digestChanges(key: Uint8Array, changes: readonly (CardChange | SupersedeChange)[]): Buffer {
  const mac = createHmac('sha256', key).update('vigie/1/changes');
  for (const change of changes) {
    // A supersede takes more room; its status, which comes first, tells it apart.
    const rest = Buffer.alloc(change.status === SUPERSEDED ? 18 : 10);
    rest[0] = statusCode(change.status);
    rest[1] = change.status === SUPERSEDED ? 0 : reasonCode(change.why);
    rest.writeDoubleBE(change.expiresAt, 2);
    if (change.status === SUPERSEDED) rest.writeDoubleBE(change.issuedBefore, 10);
    mac.update(change.hash).update(rest);
  }
  return mac.digest();
}
