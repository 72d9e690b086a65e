/**
 * Who calls, and what that caller may: as the listener asks, once for each request, on its head. How many credentials a
 * batch holds only its body says, so what is taken for one is an estimate, which its end sets right.
 */
import type { Buckets } from '../callers/buckets.ts';
import type { CallerIndex, IdentityFault, KnownCaller } from '../callers/caller-index.ts';
import type { Scope } from '../callers/caller-list.ts';
import type { Clock } from '../clock.ts';
import type { Lane } from './admission/admission.ts';
import { createBatchEstimates } from './batch-estimates.ts';
import { createRememberedKeys } from './remembered-keys.ts';
import type { SeenRequest } from './request-head.ts';

export const CALLER_REFUSALS = ['missing', 'unknown', 'expired', 'scope', 'quota'] as const;
export type CallerRefusal = (typeof CALLER_REFUSALS)[number];

/** A caller whose request may go on, and for how many credentials; or why not. */
export type CallerJudgement =
  | { readonly ok: true; readonly caller: KnownCaller; readonly charged: number }
  | { readonly ok: false; readonly why: CallerRefusal; readonly retryAfterMs: number };

export interface CallerGuard {
  judge(
    seen: Pick<SeenRequest, 'authorization' | 'contentLength'>,
    scope: Scope,
    lane: Lane,
  ): CallerJudgement;
  /** The request was let in by `judge`, and shed after all: nothing was done for it, so it costs nothing. */
  giveBack(caller: KnownCaller, charged: number): void;
  /** A request of the caller was let in, and has ended. */
  served(caller: KnownCaller, ended: EndedRequest): void;
  /** Whatever was looked up is looked up again. */
  setIndex(index: CallerIndex): void;
}

export interface EndedRequest {
  /** What was taken for it. */
  readonly charged: number;
  /** What was looked at for it. */
  readonly credentials: number;
  /** Bytes of a batch that was read to its end, and all of it was right; else `undefined`. */
  readonly wholeBatchBytes: number | undefined;
}

export interface CallerGuardOptions {
  readonly clock: Clock;
  readonly buckets: Buckets;
  readonly index: CallerIndex;
  /** `caller`: `undefined` where nobody can say who it was. */
  onRefused(why: CallerRefusal, caller: KnownCaller | undefined): void;
  onServed(caller: KnownCaller, credentials: number): void;
}

export function createCallerGuard(options: CallerGuardOptions): CallerGuard {
  const { clock, buckets } = options;
  const remembered = createRememberedKeys();
  const estimates = createBatchEstimates();
  let { index } = options;

  const identify = (authorization: string | undefined): KnownCaller | IdentityFault => {
    const wallMs = clock.wallMs();
    if (authorization !== undefined) {
      const known = remembered.find(authorization);
      if (known !== undefined) return wallMs < known.expiresAtMs ? known.caller : 'expired';
    }
    const found = index.identify(authorization, wallMs);
    if (!found.ok) return found.why;
    const { caller, expiresAt } = found;
    const expiresAtMs = expiresAt === undefined ? Number.POSITIVE_INFINITY : expiresAt * 1000;
    remembered.keep(authorization as string, { caller, expiresAtMs });
    return caller;
  };
  const refuse = (why: CallerRefusal, caller?: KnownCaller, retryAfterMs = 0): CallerJudgement => {
    options.onRefused(why, caller);
    return { ok: false, why, retryAfterMs };
  };

  return {
    judge: ({ authorization, contentLength }, scope, lane) => {
      const caller = identify(authorization);
      if (typeof caller === 'string') return refuse(caller);
      if (!caller.scopes.has(scope)) return refuse('scope', caller);
      const charged = lane === 'single' ? 1 : estimates.expect(caller.place, contentLength);
      const waitMs = buckets.take(caller, charged, clock.monotonicMs());
      return waitMs === 0 ? { ok: true, caller, charged } : refuse('quota', caller, waitMs);
    },
    giveBack: (caller, charged) => buckets.correct(caller, -charged, clock.monotonicMs()),
    served: (caller, { charged, credentials, wholeBatchBytes }) => {
      // A call that came to nothing was not for nothing: it costs as much as one credential.
      buckets.correct(caller, Math.max(1, credentials) - charged, clock.monotonicMs());
      if (wholeBatchBytes !== undefined) estimates.learn(caller.place, wholeBatchBytes, credentials);
      options.onServed(caller, credentials);
    },
    setIndex: (next) => {
      index = next;
      remembered.forget();
    },
  };
}
