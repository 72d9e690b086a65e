/**
 * Who calls, and what that caller may: as the listener asks, once for each request, on its head. A key that was looked up
 * is remembered with its caller until the list changes, since its keyed hash costs as much as a tenth of a single call.
 */
import { LRUCache } from 'lru-cache';
import type { Buckets } from '../callers/buckets.ts';
import type { CallerIndex, IdentityFault, KnownCaller } from '../callers/caller-index.ts';
import type { Scope } from '../callers/caller-list.ts';
import type { Clock } from '../clock.ts';
import type { RequestHead } from './request-head.ts';

export const CALLER_REFUSALS = ['missing', 'unknown', 'expired', 'scope', 'quota'] as const;
export type CallerRefusal = (typeof CALLER_REFUSALS)[number];

/** A caller whose request may go on, or why not. */
export type CallerJudgement =
  | { readonly ok: true; readonly caller: KnownCaller }
  | { readonly ok: false; readonly why: CallerRefusal; readonly retryAfterMs: number };

export interface CallerGuard {
  /** `credentials`: what is taken from the caller's bucket for it. */
  judge(head: RequestHead, scope: Scope, credentials: number): CallerJudgement;
  /** The request came to more (or, below zero, fewer) credentials than were taken. */
  correct(caller: KnownCaller, credentials: number): void;
  /** A request of the caller was let in, and has ended with so many credentials. */
  served(caller: KnownCaller, credentials: number): void;
  /** Whatever was looked up is looked up again. */
  setIndex(index: CallerIndex): void;
}

export interface CallerGuardOptions {
  readonly clock: Clock;
  readonly buckets: Buckets;
  readonly index: CallerIndex;
  /** `caller`: `undefined` where nobody can say who it was. */
  onRefused(why: CallerRefusal, caller: KnownCaller | undefined): void;
  onServed(caller: KnownCaller, credentials: number): void;
}

/** Keys remembered by a thread: both of as many callers as a file may name. */
const REMEMBERED = 2_000;

interface Remembered {
  readonly caller: KnownCaller;
  readonly expiresAtMs: number;
}

export function createCallerGuard(options: CallerGuardOptions): CallerGuard {
  const { clock, buckets } = options;
  const remembered = new LRUCache<string, Remembered>({ max: REMEMBERED });
  let { index } = options;

  const identify = (authorization: string | undefined): KnownCaller | IdentityFault => {
    const wallMs = clock.wallMs();
    const known = authorization === undefined ? undefined : remembered.get(authorization);
    if (known !== undefined) return wallMs < known.expiresAtMs ? known.caller : 'expired';
    const found = index.identify(authorization, wallMs);
    if (!found.ok) return found.why;
    const expiresAtMs = found.expiresAt === undefined ? Number.POSITIVE_INFINITY : found.expiresAt * 1000;
    remembered.set(authorization as string, { caller: found.caller, expiresAtMs });
    return found.caller;
  };
  const refuse = (why: CallerRefusal, caller?: KnownCaller, retryAfterMs = 0): CallerJudgement => {
    options.onRefused(why, caller);
    return { ok: false, why, retryAfterMs };
  };

  return {
    judge: ({ authorization }, scope, credentials) => {
      const caller = identify(authorization);
      if (typeof caller === 'string') return refuse(caller);
      if (!caller.scopes.has(scope)) return refuse('scope', caller);
      const waitMs = buckets.take(caller, credentials, clock.monotonicMs());
      return waitMs === 0 ? { ok: true, caller } : refuse('quota', caller, waitMs);
    },
    correct: (caller, credentials) => buckets.correct(caller, credentials, clock.monotonicMs()),
    served: options.onServed,
    setIndex: (next) => {
      index = next;
      remembered.clear();
    },
  };
}
