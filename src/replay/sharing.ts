/**
 * Asking the other gateways, by Redis, about proofs that are the first here.
 *
 * What this gateway took is decided by its own table alone, so each proof is asked about once in its life and the
 * question never repeated: whatever became of one that was not answered, no second one of ours can find what the first
 * left there. If it was obeyed, others find it, and rightly.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { createBreaker } from './breaker.ts';
import type { RedisProofs } from './redis-proofs.ts';
import type { ReplayGuard } from './replay-guard.ts';
import { ID_BYTES } from './taking.ts';

export type ShareResult = 'first' | 'seen' | 'unreachable';

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
  stop(): void;
}

const PROBE_LIFE_MS = 1;

export function createSharing({ proofs, clock, keepMs, timeoutMs, observer }: SharingOptions): Sharing {
  // Writes as a real call does, since a replica or a full memory may answer anything else.
  const probe = async (): Promise<boolean> =>
    (await proofs.take([randomBytes(ID_BYTES)], [PROBE_LIFE_MS])).ok;
  const breaker = createBreaker({ probe, onChange: observer.onCutOff, random: Math.random });

  const ask = async (ids: readonly Uint8Array[], expiresAtMs: readonly number[]) => {
    const nowMs = clock.wallMs();
    const livesMs = expiresAtMs.map((atMs) => Math.max(0, atMs - nowMs) + keepMs);
    const beganMs = clock.monotonicMs();
    const answer = await orAtDeadline(proofs.take(ids, livesMs), timeoutMs);
    observer.onAsked((clock.monotonicMs() - beganMs) / 1000);
    if (answer?.ok) return answer.value;
    breaker.open(answer?.code ?? 'TIMEOUT');
    return undefined;
  };

  return {
    share: async (ids, expiresAtMs) => {
      const isFirst = breaker.isOpen() ? undefined : await ask(ids, expiresAtMs);
      if (isFirst === undefined) {
        observer.onShared('unreachable', ids.length);
        return 'unreachable';
      }
      const firsts = isFirst.filter(Boolean).length;
      observer.onShared('first', firsts);
      observer.onShared('seen', ids.length - firsts);
      return isFirst.map((first) => (first ? 'first' : 'seen'));
    },
    stop: () => {
      breaker.stop();
      proofs.close();
    },
  };
}

/** `undefined` when the time is over first. */
function orAtDeadline<T>(answer: Promise<T>, timeoutMs: number): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    // After a turn: an answer that arrived while this thread was busy is read before it counts as missing.
    const timer = setTimeout(() => setImmediate(resolve, undefined), timeoutMs);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
