/** The guard of one data-plane thread: the gateway's table, the way to the journal and, with Redis, to other gateways. */
import type { Clock } from '../clock.ts';
import type { NativeAddon } from '../native/addon.ts';
import { loadRedisProofs } from './load-redis-proofs.ts';
import { createProofIdentity } from './proof-identity.ts';
import type { RedisProofs, RedisProofsOptions } from './redis-proofs.ts';
import type { ReplayGuard } from './replay-guard.ts';
import { openReplayTable } from './replay-table.ts';
import { createSharing, type SharingObserver } from './sharing.ts';
import { createTakenNotes } from './taken-notes.ts';
import { createPrefetching, createTaking, type Taken } from './taking.ts';
import { createTurnClock } from './turn-clock.ts';

/** What a thread is born with; plain data, to be sent to it. */
export interface SharedReplay {
  readonly table: SharedArrayBuffer;
  /** The secret's `replayKey`. */
  readonly key: Uint8Array;
  /** For so long beyond its life a proof is kept, here and in Redis, for clocks that do not agree. */
  readonly keepMs: number;
  /** `undefined`: the gateway is alone. */
  readonly redis: RedisProofsOptions | undefined;
}

export interface ReplayObserver extends SharingObserver {
  onTaken(result: Taken): void;
}

export interface ReplayGuardOptions extends SharedReplay {
  readonly clock: Clock;
  /** Absent where there is no native code. */
  readonly addon: NativeAddon | undefined;
  readonly observer: ReplayObserver;
  /** Hands what was taken to the journal (`proof-journal.ts`). */
  sendNotes(notes: Uint8Array): void;
}

export interface StoppableGuard extends ReplayGuard {
  /** Proofs are to be expected: connects to Redis, where there is one, so that the first of them need not wait for it. */
  prepare(): void;
  stop(): void;
}

/**
 * Each thread asks Redis by a connection of its own: by the main thread's it would wait for that thread twice, which
 * commits to disk between, and for the calls of all others.
 */
export function createReplayGuard(options: ReplayGuardOptions): StoppableGuard {
  const { clock, observer, keepMs, redis } = options;
  const table = openReplayTable(options.table);
  const take = createTaking(table, createTurnClock(clock), keepMs);
  const notes = createTakenNotes(options.sendNotes);
  const sharing =
    redis &&
    createSharing({
      proofs: loadRedisProofs(() => importRedisProofs(redis)),
      clock,
      keepMs,
      timeoutMs: redis.timeoutMs,
      observer,
    });
  return {
    prefetch: createPrefetching(table),
    take: (ids, expiresAtMs, at = 0) => {
      const taken = take(ids, expiresAtMs, at);
      if (taken === 'first') notes.note(ids, expiresAtMs, at);
      observer.onTaken(taken);
      return taken;
    },
    ...(sharing && { share: sharing.share }),
    identify: createProofIdentity(options.key, options.addon),
    prepare: () => sharing?.prepare(),
    stop: () => {
      notes.flush();
      sharing?.stop();
    },
  };
}

async function importRedisProofs(options: RedisProofsOptions): Promise<RedisProofs> {
  const { openRedisProofs } = await import('./redis-proofs.ts');
  return openRedisProofs(options);
}
