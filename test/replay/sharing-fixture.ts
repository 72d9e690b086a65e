/** Guards as two gateways have them: each with a table of its own, on one Redis. */
import { type Clock, systemClock } from '../../src/clock.ts';
import { createReplayGuard } from '../../src/replay/create-replay-guard.ts';
import type { RedisProofsOptions } from '../../src/replay/redis-proofs.ts';
import type { ShareResult } from '../../src/replay/replay-guard.ts';
import { allocateReplayTable } from '../../src/replay/replay-table.ts';
import type { Taken } from '../../src/replay/taking.ts';
import { NO_CREDENTIALS, targetOf } from '../revocation/shared/redis/log-fixture.ts';
import { until } from '../support/redis.ts';
import { idOf } from './replay-fixture.ts';

export const KEEP_MS = 30_000;
export const TIMEOUT_MS = 300;

const guards: { stop(): void }[] = [];

export function stopGuards(): void {
  for (const guard of guards.splice(0)) guard.stop();
}

/** Stopped by `stopGuards`. */
export function openGuard(url: string, more: Partial<RedisProofsOptions> = {}, clock: Clock = systemClock) {
  const shared: Record<ShareResult, number> = { first: 0, seen: 0, unreachable: 0 };
  const taken: Record<Taken, number> = { first: 0, seen: 0, full: 0 };
  const told = { asked: 0, cutOff: [] as (string | undefined)[], noted: 0 };
  const guard = createReplayGuard({
    addon: undefined,
    table: allocateReplayTable(20_000, clock.monotonicMs()),
    key: Buffer.alloc(32, 5),
    keepMs: KEEP_MS,
    redis: {
      target: targetOf(url),
      credentials: NO_CREDENTIALS,
      prefix: 'vigie',
      timeoutMs: TIMEOUT_MS,
      ...more,
    },
    clock,
    observer: {
      onTaken: (result) => {
        taken[result]++;
      },
      onShared: (result, proofs) => {
        shared[result] += proofs;
      },
      onAsked: () => {
        told.asked++;
      },
      onCutOff: (because) => void told.cutOff.push(because),
    },
    sendNotes: (notes) => {
      told.noted += notes.length / 24;
    },
  });
  guards.push(guard);
  if (guard.share === undefined) throw new Error('a guard with Redis shares');
  const { share } = guard;
  /** For a minute from now. */
  const ask = (ids: readonly Uint8Array[]) =>
    share(
      ids,
      ids.map(() => clock.wallMs() + 60_000),
    );
  return { ...guard, ask, shared, taken, told };
}

/** Until one that it has not asked about is shared; those on the way are of no further use. */
export function sharesAgain(guard: Guard, name: string, limitSeconds?: number): Promise<void> {
  let tries = 0;
  const isShared = async () => (await guard.ask([idOf(`${name} ${tries++}`)]))[0] !== 'unreachable';
  return until(isShared, 'sharing', limitSeconds);
}

export type Guard = ReturnType<typeof openGuard>;

export const proofKey = (id: Uint8Array) => `{vigie}:proof:${Buffer.from(id).toString('base64url')}`;
