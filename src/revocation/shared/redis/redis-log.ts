/**
 * The shared log on Redis 6.2 or later, or Valkey.
 *
 * Every call ends within the deadline (`VIGIE_REDIS_TIMEOUT_MS`, and behind an append the time for replicas); those
 * that take several round trips, within one deadline each.
 */
import { randomBytes } from 'node:crypto';
import { slotOf } from '../../../redis/cluster-nodes.ts';
import { connect } from '../../../redis/connection.ts';
import type { RedisCredentials } from '../../../redis/credentials.ts';
import { fault } from '../../../redis/fault.ts';
import type { RedisTarget } from '../../../redis/target.ts';
import type { LogResult, SharedLog } from '../shared-log.ts';
import { append, restore } from './append.ts';
import { NO_EPOCH, numberOf, type RedisContext } from './context.ts';
import { entriesOf, scanEntries } from './entries.ts';
import { publishFilter, readFilter } from './filter.ts';
import { follow, peek } from './follow.ts';
import { beginFounding, lives, open, putEntries } from './founding.ts';
import { keyNames } from './keys.ts';
import { HOLD, LEASE } from './lease-scripts.ts';
import { MAX_LEASE_MS } from './script.ts';

/**
 * What a gateway's ACL user needs under the prefix `vigie`, and no more: for `ACL SETUSER`, behind its name and
 * with its password. SELECT is for another database than 0, PUBLISH and WAIT for replicas that must confirm.
 */
export const REDIS_ACL =
  'on resetkeys ~{vigie}:* resetchannels &{vigie}:* -@all ' +
  '+eval +evalsha +info +time +publish +wait +select +client|setname ' +
  '+exists +type +scan +get +set +strlen +unlink +pexpire +hget +hmget +hset +hdel +hscan ' +
  '+xadd +xrange +xtrim +zadd +zrem +zcount +zremrangebyscore';
/** Further in a cluster, where SELECT and PUBLISH are of no use. */
export const REDIS_CLUSTER_ACL = '+cluster|nodes';

export interface RedisLogOptions {
  readonly target: RedisTarget;
  readonly credentials: RedisCredentials;
  /** Names all keys, as their hash tag; see `keys.ts`. */
  readonly prefix: string;
  /** Replicas that must confirm an append before it is acknowledged, and a follow; 0: none is asked. */
  readonly waitReplicas: number;
  readonly waitMs: number;
  readonly timeoutMs: number;
  /** Of the deployment's secret. */
  readonly fingerprint: Uint8Array;
}

/** Connects in the background; until then calls answer `unreachable`. */
export function openRedisLog(options: RedisLogOptions): SharedLog {
  const { target, credentials, timeoutMs, waitReplicas, waitMs } = options;
  const slot = slotOf(options.prefix);
  const link = (longestExtraMs: number) => connect({ target, credentials, timeoutMs, longestExtraMs, slot });
  const context: RedisContext = {
    keys: keyNames(options.prefix),
    fingerprint: Buffer.from(options.fingerprint).toString('hex'),
    token: randomBytes(16).toString('hex'),
    waitReplicas,
    waitMs,
    pulse: target.kind === 'cluster' ? 'write' : 'message',
    follower: link(waitMs),
    writer: link(waitMs),
    bulk: link(0),
    believed: NO_EPOCH,
  };
  return {
    follow: (afterSeq, maxRecords) => follow(context, afterSeq, maxRecords),
    append: (request) => append(context, request),
    entriesOf: (hashes) => entriesOf(context, hashes),
    restore: (head, entries) => restore(context, head, entries),
    scanEntries: (epoch, cursor) => scanEntries(context, epoch, cursor),
    beginFounding: (seen, epoch, leaseMs) => beginFounding(context, seen, epoch, leaseMs),
    lives: () => lives(context),
    putEntries: (epoch, entries, leaseMs) => putEntries(context, epoch, entries, leaseMs),
    open: (epoch, seq, state) => open(context, epoch, seq, state),
    hold: (leaseMs) => hold(context, leaseMs),
    lease: (name, leaseMs) => lease(context, name, leaseMs),
    publishFilter: (snapshot) => publishFilter(context, snapshot),
    readFilter: () => readFilter(context),
    trim: (throughSeq) => trim(context, throughSeq),
    close: () => {
      for (const connection of [context.follower, context.writer, context.bulk]) connection.close();
    },
  };
}

async function hold({ bulk, keys, token }: RedisContext, leaseMs: number): Promise<LogResult<void>> {
  if (leaseMs > MAX_LEASE_MS) throw new RangeError(`a hold is ${MAX_LEASE_MS} ms at most`);
  const answer = await bulk.one({ script: HOLD, keys: [keys.holds], args: [token, leaseMs] });
  return answer.ok ? { ok: true, value: undefined } : answer;
}

async function lease(
  { bulk, keys, token }: RedisContext,
  name: 'filter' | 'audit',
  leaseMs: number,
): Promise<LogResult<{ readonly held: boolean }>> {
  const answer = await bulk.one({ script: LEASE, keys: [keys.lease(name)], args: [token, leaseMs] });
  return answer.ok ? { ok: true, value: { held: answer.value === 1 } } : answer;
}

/** A call drops whole nodes of the stream, and no more than these many records: Redis's own bound. */
const TRIM_RECORDS = 10_000;
/** Ten million records; what is left then, the next trim finds. */
const TRIM_CALLS = 1_000;

async function trim(context: RedisContext, throughSeq: number): Promise<LogResult<void>> {
  const epochs = await peek(context.bulk, context.keys);
  if (!epochs.ok) return epochs;
  if (epochs.value.open === undefined) return { ok: true, value: undefined };
  const stream = context.keys.stream(epochs.value.open);
  for (let i = 0; i < TRIM_CALLS; i++) {
    const command = ['XTRIM', stream, 'MINID', '~', `${throughSeq + 1}-0`, 'LIMIT', TRIM_RECORDS] as const;
    const dropped = await context.bulk.one(command);
    if (!dropped.ok) return dropped;
    const count = numberOf(dropped.value);
    if (count === undefined) return fault('malformed', 'MALFORMED');
    if (count === 0) break;
  }
  return { ok: true, value: undefined };
}
