/**
 * A call for status changes, and what it comes to: the part of the decision that is the same for one gateway
 * with its own store and for many with a shared log. Nothing is written here.
 */
import { isSupersede, type StatusChange, type Supersede } from '../card-status.ts';
import { cardHash, holderHash, idempotencyHash } from './card-hash.ts';
import {
  type CardChange,
  type ChangeableEntry,
  type ChangePlan,
  digestChanges,
  planChanges,
  type SupersedeChange,
} from './change-plan.ts';
import type { DeploymentSecret } from './deployment-secret.ts';
import type { RememberedAnswer } from './idempotency.ts';
import { type ChangeWindow, confirms, issueConfirmToken } from './mass-change-limit.ts';
import { SUPERSEDED } from './status-entry.ts';
import type { StoreFault, StoreResult } from './store-transaction.ts';

export interface ChangeRequest {
  readonly changes: readonly (StatusChange | Supersede)[];
  /** Of bounded length, which the admin interface checks. */
  readonly idempotencyKey?: string | undefined;
  /** The token of a `mass-change-held` answer to the same changes. */
  readonly confirm?: string | undefined;
}

/** Why nothing can be promised: the store's own faults, and what else can be missing on one gateway or on many. */
export type UnavailableCause =
  | StoreFault
  | 'unreadable-entry'
  /** No room for another Idempotency-Key. */
  | 'idempotency-full'
  /** Too many calls wait already. */
  | 'queue-full'
  /** No answer from the shared log; the changes may hold. */
  | 'log-unreachable'
  | 'log-refused'
  /** Copy and log are not one: being healed, or founded anew, or foreign. */
  | 'log-not-whole'
  /** The log became another one a moment ago; it may lack what others are about to bring. */
  | 'log-settling'
  /** Other gateways' changes came first, time and again. */
  | 'log-contended'
  /** The log has the changes, its replicas have not confirmed them. */
  | 'not-replicated'
  /** What the log remembers under this Idempotency-Key is nothing that a gateway wrote. */
  | 'answer-not-authentic';

export type ChangeOutcome =
  /** Durable and enforced. `seq`: of the last change applied, or as it was if nothing changed. */
  | { readonly outcome: 'applied'; readonly seq: number }
  /** A change to a revoked card; `index` is its place in the call. */
  | { readonly outcome: 'revocation-final'; readonly index: number }
  | { readonly outcome: 'mass-change-held'; readonly token: string }
  | { readonly outcome: 'idempotency-key-reused' }
  /** The changes hold wholly or not at all; to be repeated. `code` is for the log. */
  | { readonly outcome: 'unavailable'; readonly cause: UnavailableCause; readonly code?: string };

/** What the admin interface asks: one gateway's own store answers at once, a shared log when it is durable there. */
export interface ChangeAdmission {
  applyChanges(request: ChangeRequest): ChangeOutcome | Promise<ChangeOutcome>;
  /** Withdraws an issuer key for good; repeating it changes nothing. */
  retireKey(iss: string, kid: string): ChangeOutcome | Promise<ChangeOutcome>;
}

/** A call in the form in which it is judged: no identifier is left in it. */
export interface Call {
  readonly changes: readonly (CardChange | SupersedeChange)[];
  readonly digest: Buffer;
  readonly keyHash: Buffer | undefined;
  readonly confirm: string | undefined;
  readonly nowMs: number;
}

export function readCall(secret: DeploymentSecret, request: ChangeRequest, nowMs: number): Call {
  const changes = request.changes.map((change) => hashed(secret.cardHashKey, change));
  return {
    changes,
    digest: digestChanges(secret.confirmTokenKey, changes),
    keyHash: hashedKey(secret.idempotencyKey, request.idempotencyKey),
    confirm: request.confirm,
    nowMs,
  };
}

/** What the same call was answered before; the same key with other changes is an error of the caller's. */
export function repeatedAnswer(call: Call, remembered: RememberedAnswer): ChangeOutcome {
  if (!remembered.changes.equals(call.digest)) return { outcome: 'idempotency-key-reused' };
  return { outcome: 'applied', seq: remembered.seq };
}

export interface MassChangeGuard {
  readonly window: ChangeWindow;
  readonly massChangeLimit: number;
  readonly confirmTokenKey: Uint8Array;
}

/** The entries to write, or the answer to a call that writes nothing: transitions first, then the guard. */
export function judgeCall(
  guard: MassChangeGuard,
  call: Call,
  current: (hash: Buffer) => ChangeableEntry | undefined | 'unreadable',
  seq: number,
): Extract<ChangePlan, { kind: 'plan' }> | ChangeOutcome {
  const { window, massChangeLimit, confirmTokenKey } = guard;
  const { digest, nowMs } = call;
  const plan = planChanges(call.changes, current, seq, nowMs, window.counts);
  if (plan.kind === 'unreadable') return { outcome: 'unavailable', cause: 'unreadable-entry' };
  if (plan.kind === 'revocation-final') return { outcome: plan.kind, index: plan.index };
  const overLimit = plan.statusChanges > 0 && window.count() + plan.statusChanges > massChangeLimit;
  if (overLimit && !confirms(confirmTokenKey, call.confirm ?? '', digest, nowMs)) {
    return { outcome: 'mass-change-held', token: issueConfirmToken(confirmTokenKey, digest, nowMs) };
  }
  return plan;
}

function hashed(key: Uint8Array, change: StatusChange | Supersede): CardChange | SupersedeChange {
  const { iss, expiresAt = Infinity } = change;
  if (Number.isNaN(expiresAt)) throw new RangeError('expiresAt is not a number');
  if (isSupersede(change)) {
    // Zero may come with a sign, by whose bytes it would be later than every other instant.
    const issuedBefore = change.issuedBefore + 0;
    if (!(issuedBefore >= 0 && issuedBefore < Infinity)) throw new RangeError('issuedBefore is no instant');
    const hash = holderHash(key, iss, change.sub);
    return { hash, status: SUPERSEDED, issuedBefore, expiresAt };
  }
  const { jti, status, why } = change;
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
