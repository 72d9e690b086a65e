/**
 * Proofs as the gateways of a deployment share them in Redis: for each a key {vigie}:proof:<its id in base64url>, which
 * goes by itself when its time is over. It is made only where there is none, so whoever makes it was the first. Its
 * value is a digit, since of those Redis keeps one for all.
 *
 * One script call for many proofs: Redis takes them all or, refusing, says so once; and writing a thousand keys into one
 * command costs this thread a fraction of what a thousand commands cost it.
 */
import { slotOf } from '../redis/cluster-nodes.ts';
import { type Connection, connect } from '../redis/connection.ts';
import type { RedisCredentials } from '../redis/credentials.ts';
import { fault, type Result } from '../redis/fault.ts';
import { keyTag } from '../redis/key-tag.ts';
import { defineScript } from '../redis/script.ts';
import type { RedisTarget } from '../redis/target.ts';

export interface RedisProofsOptions {
  readonly target: RedisTarget;
  readonly credentials: RedisCredentials;
  /** Names all keys, as their hash tag. */
  readonly prefix: string;
  readonly timeoutMs: number;
}

export interface RedisProofs {
  /** In order, whether each was not there yet; `livesMs`: for how long each is to be remembered. */
  take(ids: readonly Uint8Array[], livesMs: readonly number[]): Promise<Result<readonly boolean[]>>;
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

/** Connects at the first call: where no holder proves anything, nobody is connected. */
export function openRedisProofs(options: RedisProofsOptions): RedisProofs {
  const at = `${keyTag(options.prefix)}proof:`;
  let connection: Connection | undefined;
  const open = (): Connection => connect({ ...options, longestExtraMs: 0, slot: slotOf(options.prefix) });

  const takeSome = async (
    ids: readonly Uint8Array[],
    livesMs: readonly number[],
  ): Promise<Result<readonly boolean[]>> => {
    connection ??= open();
    const keys = ids.map((id) => at + Buffer.from(id).toString('base64url'));
    const answer = await connection.one({ script: TAKE, keys, args: livesMs.map(Math.ceil) });
    if (!answer.ok) return answer;
    const digits = Buffer.isBuffer(answer.value) ? answer.value.toString('latin1') : '';
    if (digits.length !== ids.length || !/^[01]*$/.test(digits)) return fault('malformed', 'MALFORMED');
    return { ok: true, value: [...digits].map((digit) => digit === '1') };
  };

  return {
    // Side by side on one connection, each for itself: a script that has to be sent whole is sent alone. Where one fails
    // all have: an answer is about all proofs or says of none that others were asked.
    take: async (ids, livesMs) => {
      const calls: Promise<Result<readonly boolean[]>>[] = [];
      for (let from = 0; from < ids.length; from += MAX_PER_CALL) {
        const to = from + MAX_PER_CALL;
        calls.push(takeSome(ids.slice(from, to), livesMs.slice(from, to)));
      }
      const answers = await Promise.all(calls);
      const failed = answers.find((answer) => !answer.ok);
      return failed ?? { ok: true, value: answers.flatMap((answer) => (answer.ok ? answer.value : [])) };
    },
    close: () => connection?.close(),
  };
}
