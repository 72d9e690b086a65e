/**
 * Proofs as the gateways of a deployment share them in Redis: for each a key {vigie}:proof:<its id in base64url>, which
 * goes by itself when its time is over. It is made only where there is none, so whoever makes it was the first. Its
 * value is a digit, since of those Redis keeps one for all.
 *
 * One script call for many proofs: writing a thousand keys into one command costs this thread a fraction of what a
 * thousand commands cost it.
 */
import { slotOf } from '../redis/cluster-nodes.ts';
import { type Connection, connect } from '../redis/connection.ts';
import type { RedisCredentials } from '../redis/credentials.ts';
import { type Fault, fault } from '../redis/fault.ts';
import { keyTag } from '../redis/key-tag.ts';
import { defineScript } from '../redis/script.ts';
import type { RedisTarget } from '../redis/target.ts';
import type { ShareResult } from './replay-guard.ts';

export interface RedisProofsOptions {
  readonly target: RedisTarget;
  readonly credentials: RedisCredentials;
  /** Names all keys, as their hash tag. */
  readonly prefix: string;
  readonly timeoutMs: number;
}

export interface RedisProofs {
  /**
   * Puts into `results` what Redis says of each, as soon as it says so; what it does not speak of stays as it is.
   * `livesMs`: for how long each is to be remembered. Resolves when no more will be said, with the first failure.
   */
  take(
    ids: readonly Uint8Array[],
    livesMs: readonly number[],
    results: ShareResult[],
  ): Promise<Fault | undefined>;
  close(): void;
}

/**
 * KEYS: of proofs. ARGV: the life of each (ms). Answers a digit for each: 1 where there was none.
 *
 * Never to be sent again after a reply that did not come: it may have been obeyed, and would now find its own key.
 */
const TAKE = defineScript(`
local taken = {}
for i, key in ipairs(KEYS) do
  taken[i] = redis.call('SET', key, 1, 'NX', 'PX', ARGV[i]) and '1' or '0'
end
return table.concat(taken)
`);

/** Of one script, which holds Redis up for a millisecond or so. */
const MAX_PER_CALL = 1_000;

/** Connects at the first call, which may throw. */
export function openRedisProofs(options: RedisProofsOptions): RedisProofs {
  const at = `${keyTag(options.prefix)}proof:`;
  let connection: Connection | undefined;
  let isClosed = false;
  const open = (): Connection => connect({ ...options, longestExtraMs: 0, slot: slotOf(options.prefix) });

  /** Of one part of the proofs, whose first is proof `from` of all. */
  const takePart = async (
    ids: readonly Uint8Array[],
    livesMs: readonly number[],
    results: ShareResult[],
    from: number,
  ): Promise<Fault | undefined> => {
    // Nobody would close a connection that is made from now on.
    if (isClosed) return fault('unreachable', 'CLOSED');
    connection ??= open();
    const keys = ids.map((id) => at + Buffer.from(id).toString('base64url'));
    const answer = await connection.one({ script: TAKE, keys, args: livesMs.map(Math.ceil) });
    if (!answer.ok) return answer;
    const digits = Buffer.isBuffer(answer.value) ? answer.value.toString('latin1') : '';
    if (digits.length !== ids.length || !/^[01]*$/.test(digits)) return fault('malformed', 'MALFORMED');
    for (let i = 0; i < ids.length; i++) results[from + i] = digits[i] === '1' ? 'first' : 'seen';
    return undefined;
  };

  return {
    // Side by side on one connection, each for itself: a script that has to be sent whole is sent alone. Where one
    // fails, what was said of the others stands: a proof that Redis knows must not be accepted for a neighbour's sake.
    take: async (ids, livesMs, results) => {
      const parts: Promise<Fault | undefined>[] = [];
      for (let from = 0; from < ids.length; from += MAX_PER_CALL) {
        const to = from + MAX_PER_CALL;
        parts.push(takePart(ids.slice(from, to), livesMs.slice(from, to), results, from));
      }
      return (await Promise.all(parts)).find((failure) => failure !== undefined);
    },
    close: () => {
      isClosed = true;
      connection?.close();
    },
  };
}
