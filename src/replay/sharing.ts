/**
 * Asking the other gateways, by Redis, about proofs that are the first here.
 *
 * What this gateway took is decided by its own table alone, so each proof is asked about once in its life and the
 * question never repeated: whatever became of one that was not answered, no second one of ours can find what the first
 * left there. If it was obeyed, others find it, and rightly.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { type Fault, faultOf } from '../redis/fault.ts';
import { createBreaker } from './breaker.ts';
import type { RedisProofs } from './redis-proofs.ts';
import type { ReplayGuard, ShareResult } from './replay-guard.ts';
import { ID_BYTES } from './taking.ts';

export interface SharingObserver {
  onShared(result: ShareResult, proofs: number): void;
  /** Of a call that Redis was asked by, answered or not. */
  onAsked(seconds: number): void;
  /** That Redis is left alone for the moment, and the code of the fault; `undefined`: no longer. */
  onCutOff(because: string | undefined): void;
}

export interface SharingOptions {
  readonly proofs: RedisProofs;
  readonly clock: Clock;
  /** For as long beyond its life a proof is kept, for clocks that are behind this one. */
  readonly keepMs: number;
  /** No call waits longer, whatever the connection is doing. */
  readonly timeoutMs: number;
  readonly observer: SharingObserver;
}

export interface Sharing {
  readonly share: NonNullable<ReplayGuard['share']>;
  /** Makes everything ready for the first call, in the background. */
  prepare(): void;
  stop(): void;
}

const PROBE_LIFE_MS = 1;

export function createSharing({ proofs, clock, keepMs, timeoutMs, observer }: SharingOptions): Sharing {
  /** As `proofs.take`, but never rejects: a client that cannot be loaded or made is a Redis that does not answer. */
  const take: RedisProofs['take'] = (ids, livesMs, results) =>
    proofs.take(ids, livesMs, results).catch(faultOf);
  // Writes as a real call does, since a replica or a full memory may answer anything else.
  const probe = (): Promise<Fault | undefined> => take([randomBytes(ID_BYTES)], [PROBE_LIFE_MS], []);
  const breaker = createBreaker({
    probe: async () => (await probe()) === undefined,
    onChange: observer.onCutOff,
    random: Math.random,
  });
  let isPrepared = false;

  /** What is known of each when all is said, or the time is over. */
  const ask = async (
    ids: readonly Uint8Array[],
    expiresAtMs: readonly number[],
  ): Promise<readonly ShareResult[]> => {
    const nowMs = clock.wallMs();
    const livesMs = expiresAtMs.map((atMs) => Math.max(0, atMs - nowMs) + keepMs);
    const results = unreachable(ids.length);
    const beganMs = clock.monotonicMs();
    const failure = await orAtDeadline(take(ids, livesMs, results), timeoutMs);
    observer.onAsked((clock.monotonicMs() - beganMs) / 1000);
    if (failure !== undefined) breaker.open(failure === 'late' ? 'TIMEOUT' : failure.code);
    // A copy: what is said too late changes nothing of what the caller was told.
    return [...results];
  };

  return {
    share: async (ids, expiresAtMs) => {
      const results = breaker.isOpen() ? unreachable(ids.length) : await ask(ids, expiresAtMs);
      for (const result of ['first', 'seen', 'unreachable'] as const) {
        observer.onShared(result, results.filter((each) => each === result).length);
      }
      return results;
    },
    prepare: () => {
      if (isPrepared) return;
      isPrepared = true;
      void probe().then((failure) => failure && breaker.open(failure.code));
    },
    stop: () => {
      breaker.stop();
      proofs.close();
    },
  };
}

function unreachable(count: number): ShareResult[] {
  return new Array<ShareResult>(count).fill('unreachable');
}

/** `late` when the time is over first. */
function orAtDeadline<T>(answer: Promise<T>, timeoutMs: number): Promise<T | 'late'> {
  return new Promise((resolve, reject) => {
    // After a turn: an answer that arrived while this thread was busy is read before it counts as missing.
    const timer = setTimeout(() => setImmediate(resolve, 'late'), timeoutMs);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
