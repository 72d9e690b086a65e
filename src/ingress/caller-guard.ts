/**
 * Who calls, and what that caller may: as the listener asks, once for each request, on its head. How many credentials a
 * batch holds only its body says, so what is taken for one is an estimate; what its slices hold beyond it is taken before
 * they are verified, and its end gives back what was taken too much.
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
  | {
      readonly ok: false;
      readonly why: CallerRefusal;
      readonly retryAfterMs: number;
      /** Whoever is known by name, though not let in. */
      readonly caller: KnownCaller | undefined;
    };

export interface CallerGuard {
  judge(
    seen: Pick<SeenRequest, 'authorization' | 'contentLength'>,
    scope: Scope,
    lane: Lane,
  ): CallerJudgement;
  /**
   * A request for which so many were taken holds so many. 0: what it lacked was taken too; else nothing was, and so many
   * milliseconds later the caller's bucket could give all of it.
   */
  spend(caller: KnownCaller, charged: number, credentials: number): number;
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
  /** Bytes of a batch that held so many credentials, or that many of them at least; `undefined` where nobody knows. */
  readonly batchBytes: number | undefined;
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
    return { ok: false, why, retryAfterMs, caller };
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
    spend: (caller, charged, credentials) => {
      const waitMs = buckets.take(caller, credentials - charged, clock.monotonicMs());
      if (waitMs === 0 || caller.bucket === undefined) return 0;
      options.onRefused('quota', caller);
      // It will come again from its beginning; no call waits for more than a full bucket.
      const { costNs, depthNs } = caller.bucket;
      return Math.max(waitMs, Math.min(waitMs + (charged * costNs) / 1e6, depthNs / 1e6));
    },
    giveBack: (caller, charged) => buckets.correct(caller, -charged, clock.monotonicMs()),
    served: (caller, { charged, credentials, batchBytes }) => {
      // A call that came to nothing was not for nothing: it costs as much as one credential.
      buckets.correct(caller, Math.max(1, credentials) - charged, clock.monotonicMs());
      if (batchBytes !== undefined) estimates.learn(caller.place, batchBytes, credentials);
      options.onServed(caller, credentials);
    },
    setIndex: (next) => {
      index = next;
      remembered.forget();
    },
  };
}
