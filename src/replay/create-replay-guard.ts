/** The guard of one data-plane thread: the gateway's table, the way to the journal and, with Redis, to other gateways. */
import type { Clock } from '../clock.ts';
import type { NativeAddon } from '../native/addon.ts';
import { createProofIdentity } from './proof-identity.ts';
import type { RedisProofs, RedisProofsOptions } from './redis-proofs.ts';
import type { ReplayGuard } from './replay-guard.ts';
import { openReplayTable } from './replay-table.ts';
import { createSharing, type SharingObserver } from './sharing.ts';
import { createTakenNotes } from './taken-notes.ts';
import { createTaking, type Taken } from './taking.ts';
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

/**
 * Each thread asks Redis by a connection of its own: by the main thread's it would wait for that thread twice, which
 * commits to disk between, and for the calls of all others.
 */
export function createReplayGuard(options: ReplayGuardOptions): ReplayGuard & { stop(): void } {
  const { clock, observer, keepMs, redis } = options;
  const take = createTaking(openReplayTable(options.table), createTurnClock(clock), keepMs);
  const notes = createTakenNotes(options.sendNotes);
  const sharing =
    redis &&
    createSharing({ proofs: loadRedisProofs(redis), clock, keepMs, timeoutMs: redis.timeoutMs, observer });
  return {
    take: (id, expiresAtMs) => {
      const taken = take(id, expiresAtMs);
      if (taken === 'first') notes.note(id, expiresAtMs);
      observer.onTaken(taken);
      return taken;
    },
    ...(sharing && { share: sharing.share }),
    identify: createProofIdentity(options.key, options.addon),
    stop: () => {
      notes.flush();
      sharing?.stop();
    },
  };
}

/** The client takes a tenth of a second and 7 MB to load: of each thread, and only where there is Redis. */
function loadRedisProofs(options: RedisProofsOptions): RedisProofs {
  const loading = import('./redis-proofs.ts').then(({ openRedisProofs }) => openRedisProofs(options));
  return {
    take: async (ids, livesMs) => (await loading).take(ids, livesMs),
    close: () => void loading.then((proofs) => proofs.close()),
  };
}
