/** A real Redis that keeps its data over a restart, with a replica: alone, or in a cluster. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SharedLog } from '../../../../src/revocation/shared/shared-log.ts';
import { type RedisServer, replicate, startRedis, until } from '../../../support/redis.ts';
import { confirming, startCluster } from '../../../support/redis-cluster.ts';
import { appendOf, closeLogs, epochOf, openLog, record } from '../redis/log-fixture.ts';
import type { LogWorld } from './log-world.ts';

export interface RedisPair {
  readonly url: string;
  readonly primary: RedisServer;
  readonly replica: RedisServer;
  /** After a restart of the primary: returns when the replica follows and confirms. */
  reunite(): Promise<void>;
  stop(): Promise<void>;
}

export async function startPair(): Promise<RedisPair> {
  const primary = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
  const replica = await startRedis();
  const reunite = () => replicate(replica, primary);
  await reunite();
  return {
    url: `redis://127.0.0.1:${primary.port}`,
    primary,
    replica,
    reunite,
    stop: async () => {
      await Promise.all([primary.stop(), replica.stop()]);
    },
  };
}

/** The owner of the keys in a cluster, and its replica, which never takes over in these scenarios. */
export async function startClusterPair(): Promise<RedisPair> {
  const cluster = await startCluster({ args: ['--cluster-replica-no-failover', 'yes'] });
  const { owner: primary, url, stop } = cluster;
  const replica = cluster.replicas[0] as RedisServer;
  await confirming(primary);
  return { url, primary, replica, reunite: () => confirming(primary), stop };
}

/** Empties the pair, which one world at a time uses. */
export async function createRedisWorld(pair: RedisPair): Promise<LogWorld> {
  closeLogs();
  const { url, primary, replica } = pair;
  const { admin } = primary;
  await admin.flushall();
  const logs: SharedLog[] = [];
  const name = (kind: 'entries' | 'stream', epoch: Buffer) => `{vigie}:${kind}:${epoch.toString('hex')}`;
  const rejoined = () =>
    until(async () => {
      await admin.set('{vigie}:touched', '', 'PX', 1);
      return (await admin.wait(1, 100)) === 1;
    }, 'the replica');
  return {
    gateway: (waitMs = 5_000) => {
      const log = openLog(url, { waitReplicas: 1, waitMs, timeoutMs: 5_000 });
      logs.push(log);
      return log;
    },
    elapse: async (ms) => {
      await sleep(ms);
    },
    cutOff: async () => replica.signal('SIGSTOP'),
    rejoin: async () => {
      replica.signal('SIGCONT');
      await rejoined();
    },
    restart: async () => {
      await primary.restart();
      await pair.reunite();
      await until(async () => (await Promise.all(logs.map(connected))).every(Boolean), 'the gateways');
    },
    snapshot: async () => {
      const keys = await admin.keys('*');
      const dumps = await Promise.all(
        keys.map(async (key) => [key, await admin.pttl(key), await admin.dumpBuffer(key)] as const),
      );
      return async () => {
        await admin.flushall();
        for (const [key, lifeMs, dump] of dumps)
          await admin.restore(key, Math.max(0, lifeMs), dump as Buffer);
      };
    },
    loseHead: async () => {
      await admin.del('{vigie}:log');
    },
    forgeRecord: async (epoch, { seq, hash, entry }) => {
      await admin.xadd(name('stream', epoch), `${seq}-0`, 'h', hash, 'e', entry);
    },
    loseRecord: async (epoch, seq) => {
      await admin.xdel(name('stream', epoch), `${seq}-0`);
    },
    forgeEntry: async (epoch, { hash, entry }) => {
      await admin.hset(name('entries', epoch), hash, entry);
    },
  };
}

/** On each of its three connections. */
async function connected(log: SharedLog): Promise<boolean> {
  const nothing = appendOf(epochOf(99), 0, [record(1, Buffer.alloc(16))]);
  const answers = await Promise.all([log.follow(0, 1), log.append(nothing), log.lives()]);
  return answers.every(({ ok }) => ok);
}
