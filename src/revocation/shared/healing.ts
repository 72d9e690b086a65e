/** What reconciliation and founding share: their means, and how one bounded step of theirs ends. */

import type { StoreState } from '../store-state.ts';
import type { StoreFault } from '../store-transaction.ts';
import type { RefusedKind, StateCheck } from './log-judgement.ts';
import type { ReplicaCopy } from './replica-copy.ts';
import type { LogHead, LogResult, SharedLog } from './shared-log.ts';

/** Entries read, compared or written in one step. */
export const PAGE_ENTRIES = 1_000;

export interface HealingParts {
  readonly log: SharedLog;
  readonly copy: ReplicaCopy;
  readonly macKey: Uint8Array;
  readonly checkState: StateCheck;
  readonly refused: (kind: RefusedKind) => void;
}

export type HealingStep =
  | { readonly kind: 'more' }
  /** Somebody else changed the log in between: the same again, after a moment. */
  | { readonly kind: 'again' }
  /** Every entry of the copy that the log lacked stands there now; more is to be done. */
  | { readonly kind: 'contributed' }
  | { readonly kind: 'done' }
  /** To be judged anew from the log's next answer. */
  | { readonly kind: 'failed'; readonly because: HealingFailure; readonly code: string };

export type HealingFailure =
  /** Another life, another founder, no log. */
  | 'log-changed'
  /** No answer, or an error. */
  | 'log-fault'
  /** What stands in the log cannot be added up: only a new life mends it. */
  | 'not-reconcilable'
  | 'copy-fault';

export interface Healing {
  step(): Promise<HealingStep>;
}

export const MORE: HealingStep = { kind: 'more' };

export function logChanged(code: string): HealingStep {
  return { kind: 'failed', because: 'log-changed', code };
}

export function logFault(result: Extract<LogResult<unknown>, { ok: false }>): HealingStep {
  return { kind: 'failed', because: 'log-fault', code: `${result.fault} ${result.code}` };
}

export function copyFault(result: { readonly fault: StoreFault; readonly code?: string }): HealingStep {
  return { kind: 'failed', because: 'copy-fault', code: result.code ?? result.fault };
}

/** The head of a given life and its checked state; or why there is none. */
export async function readHead(
  { log, checkState }: HealingParts,
  epoch: Buffer,
): Promise<
  | { readonly head: LogHead; readonly state: StoreState }
  | { readonly head: undefined; readonly step: HealingStep }
> {
  // Asked for what comes after any record, so that only the head is answered.
  const followed = await log.follow(Number.MAX_SAFE_INTEGER, 1);
  if (!followed.ok) return { head: undefined, step: logFault(followed) };
  if (followed.value.kind !== 'log') return { head: undefined, step: logChanged(followed.value.kind) };
  const { head } = followed.value;
  if (!head.epoch.equals(epoch)) return { head: undefined, step: logChanged('epoch') };
  const state = checkState(head.epoch, head.state);
  if (state === undefined || state.seq !== head.seq) return { head: undefined, step: logChanged('state') };
  return { head, state };
}

/** A state record of one's own, to be changed. */
export function copyOfState(state: StoreState): StoreState {
  return { ...state, digest: Uint32Array.from(state.digest) };
}
