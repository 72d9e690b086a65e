/** The shared log in a Redis cluster: found there, confirmed by replicas, and followed to another owner. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { SharedLog } from '../../../../../src/revocation/shared/shared-log.ts';
import { type RedisServer, until } from '../../../../support/redis.ts';
import {
  confirming,
  migrateSlot,
  promoted,
  type RedisCluster,
  type RedisClusterOptions,
  startCluster,
} from '../../../../support/redis-cluster.ts';
import { appendOf, closeLogs, followLog, found, hashOf, must, openLog, record } from '../log-fixture.ts';
import { fail, start, stopServers, urlOf, within } from '../server-fixture.ts';

const clusters: RedisCluster[] = [];
afterEach(async () => {
  closeLogs();
  await Promise.all([stopServers(), ...clusters.splice(0).map((cluster) => cluster.stop())]);
});

async function startOne(options?: RedisClusterOptions): Promise<RedisCluster> {
  const cluster = await startCluster(options);
  clusters.push(cluster);
  return cluster;
}

const WAITING = { waitReplicas: 1, waitMs: 300 };
const replicaOf = ({ replicas }: RedisCluster, i = 0) => replicas[i] as RedisServer;

/** What following comes to: the head, or the code of the fault. */
async function seen(log: SharedLog) {
  const result = await log.follow(0, 10);
  if (!result.ok) return result.code;
  return result.value.kind === 'log' ? result.value.head : result.value.kind;
}

async function appended(log: SharedLog, epoch: Buffer, seq: number): Promise<void> {
  const next = appendOf(epoch, seq - 1, [record(seq, hashOf(seq))]);
  await until(async () => (await log.append(next)).ok, 'the writing connection');
  expect((await followLog(log)).head.seq).toBe(seq);
}

describe('a cluster', () => {
  it('is found by any of its nodes, dead ones passed over; and refused under the name of one server', async () => {
    const { owner, others, replicas, url } = await startOne();
    const log = openLog(url.replace('//', '//127.0.0.1:1,'));
    const epoch = await found(log);
    await appended(log, epoch, 1);
    expect(await owner.admin.hget('{vigie}:log', 'seq')).toBe('1');
    for (const node of [owner, ...others, ...replicas]) {
      const plain = openLog(urlOf(node));
      await until(async () => (await seen(plain)) === 'CLUSTERMODE', 'CLUSTERMODE');
      const alone = openLog(`redis+cluster://127.0.0.1:${node.port}`);
      expect((await followLog(alone)).head.epoch).toEqual(epoch);
    }
  }, 60_000);

  it('that is none, or not there: every call says so in time', async () => {
    const server = await start();
    const { port } = server;
    expect(await openLog(`redis+cluster://127.0.0.1:${port}`).follow(0, 1)).toEqual(
      fail('unreachable', 'NO_CLUSTER'),
    );
    const nobody = openLog('redis+cluster://127.0.0.1:1,127.0.0.1:2');
    expect(await within(1_200, nobody.follow(0, 1))).toEqual(fail('unreachable', 'ECONNREFUSED'));
    const nowhere = openLog('redis+cluster://127.0.0.1:1,nowhere.invalid', { timeoutMs: 500 });
    expect(await within(1_200, nowhere.follow(0, 1))).toEqual(fail('unreachable', 'NO_CLUSTER_NODE'));
    const lonely = await start({ args: ['--cluster-enabled', 'yes'] });
    const unowned = openLog(`redis+cluster://127.0.0.1:${lonely.port}`);
    expect(await unowned.follow(0, 1)).toEqual(fail('unreachable', 'NO_SLOT_OWNER'));
    await lonely.admin.call('CLUSTER', 'ADDSLOTS', ...Array.from({ length: 16_384 }, (_, slot) => slot));
    await until(async () => (await seen(unowned)) === 'empty', 'the slots');
    const wrong = {
      password: 'CANARY',
      sentinelPassword: undefined,
      ca: undefined,
      cert: undefined,
      key: undefined,
    };
    await lonely.admin.config('SET', 'requirepass', 'right');
    const stranger = openLog(`redis+cluster://127.0.0.1:${lonely.port}`, { credentials: wrong });
    expect(await stranger.follow(0, 1)).toEqual(fail('refused', 'WRONGPASS'));
  });

  it('a frozen node among those asked costs a deadline, no more', async () => {
    const { owner, others, url } = await startOne({ nodeTimeoutMs: 15_000 });
    (others[0] as RedisServer).signal('SIGSTOP');
    const log = openLog(url, { timeoutMs: 400 });
    await until(async () => (await seen(log)) === 'empty', 'the owner', 5);
    owner.signal('SIGSTOP');
    expect(await within(900, log.follow(0, 1))).toEqual(fail('unreachable', 'TIMEOUT'));
    owner.signal('SIGCONT');
    await until(async () => (await seen(log)) === 'empty', 'the owner again');
  });
});

describe('replicas that must confirm', () => {
  it('are asked by every call anew; a message would not ask them here', async () => {
    const cluster = await startOne({ nodeTimeoutMs: 15_000 });
    const { owner, url } = cluster;
    await confirming(owner);
    const log = openLog(url, WAITING);
    const epoch = await found(log);
    expect((await followLog(log)).head.confirmed).toBe(true);
    // By its routine acknowledgement the replica has had everything.
    await sleep(2_500);
    replicaOf(cluster).signal('SIGSTOP');
    await owner.admin.publish('{vigie}:pulse', '');
    expect(await owner.admin.wait(1, 100)).toBe(1);
    expect((await followLog(log)).head.confirmed).toBe(false);
    expect(must(await log.append(appendOf(epoch, 0, [])))).toEqual({ kind: 'unconfirmed' });
    replicaOf(cluster).signal('SIGCONT');
    await until(async () => (await followLog(log)).head.confirmed, 'the replica');
    expect(must(await log.append(appendOf(epoch, 0, [])))).toEqual({ kind: 'appended' });
  }, 60_000);

  it('confirm where memory is full as well', async () => {
    const { owner, url } = await startOne({ nodeTimeoutMs: 15_000 });
    await confirming(owner);
    const log = openLog(url, WAITING);
    await found(log);
    await until(async () => (await followLog(log)).head.confirmed, 'the confirmation');
    await owner.admin.config('SET', 'maxmemory', '1');
    await until(async () => (await followLog(log)).head.confirmed, 'the confirmation');
    expect(await log.lease('audit', 1_000)).toEqual(fail('refused', 'OOM'));
  });
});

describe('another owner', () => {
  it('after CLUSTER FAILOVER is followed by every connection, and says that it is another', async () => {
    const cluster = await startOne();
    await confirming(cluster.owner);
    const log = openLog(cluster.url, WAITING);
    const epoch = await found(log);
    await appended(log, epoch, 1);
    const before = (await followLog(log)).head;
    await replicaOf(cluster).admin.call('CLUSTER', 'FAILOVER');
    await promoted(replicaOf(cluster));
    await until(async () => typeof (await seen(log)) !== 'string', 'the new owner');
    await until(async () => (await followLog(log)).head.confirmed, 'the old owner as its replica');
    const { head } = await followLog(log);
    expect(head).toMatchObject({ epoch, seq: 1 });
    expect(head.server).not.toBe(before.server);
    await appended(log, epoch, 2);
    expect(await replicaOf(cluster).admin.hget('{vigie}:log', 'seq')).toBe('2');
    await until(async () => (await log.lives()).ok, 'the third connection');
    expect(must(await log.lives())).toEqual([epoch]);
  }, 60_000);

  it('after kill -9 is found, and goes on being when the old one is back', async () => {
    const cluster = await startOne();
    await confirming(cluster.owner);
    const log = openLog(cluster.url);
    const epoch = await found(log);
    await appended(log, epoch, 1);
    await confirming(cluster.owner);
    cluster.owner.signal('SIGKILL');
    await promoted(replicaOf(cluster));
    await until(async () => typeof (await seen(log)) !== 'string', 'the new owner', 20);
    await appended(log, epoch, 2);
    await cluster.owner.restart();
    // For some seconds it takes itself for the owner, and its own word counts less.
    const late = openLog(
      `redis+cluster://127.0.0.1:${cluster.owner.port},127.0.0.1:${replicaOf(cluster).port}`,
    );
    expect((await followLog(late)).head).toMatchObject({ epoch, seq: 2 });
    await appended(log, epoch, 3);
    await confirming(replicaOf(cluster));
  }, 60_000);

  it('after a migration has all of the log, of which a part is never taken for the whole', async () => {
    const cluster = await startOne({ replicas: 0 });
    const log = openLog(cluster.url);
    const epoch = await found(log);
    for (let seq = 1; seq <= 3; seq++) await appended(log, epoch, seq);
    must(await log.lease('filter', 60_000));
    must(await log.publishFilter({ header: Buffer.from('h'), bits: Buffer.alloc(600_000) }));
    const to = cluster.others[0] as RedisServer;
    const migrated = migrateSlot(cluster.slot, cluster.owner, to);
    let over = false;
    const end = (): void => {
      over = true;
    };
    migrated.then(end, end);
    const said = new Set<unknown>();
    while (!over) {
      const now = await seen(log);
      said.add(typeof now === 'string' ? now : now.seq);
      // Without a connection the answer is there at once: nothing else would ever run.
      await new Promise((resolve) => setImmediate(resolve));
    }
    await migrated;
    // `empty` would have the log founded anew.
    const allowed = [3, 'ASK', 'TRYAGAIN', 'MOVED', 'NOT_CONNECTED', 'CLOSED'];
    expect([...said].filter((one) => !allowed.includes(one as string))).toEqual([]);
    expect([...said].some((one) => one === 'TRYAGAIN' || one === 'ASK')).toBe(true);
    await until(async () => typeof (await seen(log)) !== 'string', 'the new owner');
    await appended(log, epoch, 4);
    expect(await to.admin.hget('{vigie}:log', 'seq')).toBe('4');
    await until(async () => (await log.readFilter()).ok, 'the third connection');
    expect(must(await log.readFilter())?.bits).toHaveLength(600_000);
  }, 60_000);
});
