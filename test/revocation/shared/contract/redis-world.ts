/** A real Redis that keeps its data over a restart, with a replica. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SharedLog } from '../../../../src/revocation/shared/shared-log.ts';
import { type RedisServer, replicate, startRedis, until } from '../../../support/redis.ts';
import { appendOf, closeLogs, epochOf, openLog, record } from '../redis/log-fixture.ts';
import type { LogWorld } from './log-world.ts';

export interface RedisPair {
  readonly primary: RedisServer;
  readonly replica: RedisServer;
  stop(): Promise<void>;
}

export async function startPair(): Promise<RedisPair> {
  const primary = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
  const replica = await startRedis();
  await replicate(replica, primary);
  return {
    primary,
    replica,
    stop: async () => {
      await Promise.all([primary.stop(), replica.stop()]);
    },
  };
}

/** Empties the pair, which one world at a time uses. */
export async function createRedisWorld({ primary, replica }: RedisPair): Promise<LogWorld> {
  closeLogs();
  const { admin } = primary;
  await admin.flushall();
  const logs: SharedLog[] = [];
  const name = (kind: 'entries' | 'stream', epoch: Buffer) => `{vigie}:${kind}:${epoch.toString('hex')}`;
  const confirming = () =>
    until(async () => {
      await admin.publish('{vigie}:pulse', '');
      return (await admin.wait(1, 100)) === 1;
    }, 'the replica');
  return {
    gateway: () => {
      const log = openLog(`redis://127.0.0.1:${primary.port}`, { waitReplicas: 1, waitMs: 200 });
      logs.push(log);
      return log;
    },
    elapse: async (ms) => {
      await sleep(ms);
    },
    cutOff: async () => replica.signal('SIGSTOP'),
    rejoin: async () => {
      replica.signal('SIGCONT');
      await confirming();
    },
    restart: async () => {
      await primary.restart();
      await replicate(replica, primary);
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
