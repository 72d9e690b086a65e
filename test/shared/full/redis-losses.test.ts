/** What Redis loses under load: all of it, all since a backup, its stream, or what a replica had not got yet. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it, type TestContext } from 'vitest';
import { judged } from '../../history/judged.ts';
import { type Recording, record } from '../../history/recorder.ts';
import { scrape, verify } from '../../support/call.ts';
import { acknowledged, answered, card, deploy, fresh, key } from '../../support/deployment.ts';
import type { Gateway } from '../../support/gateway.ts';
import { type RedisServer, startRedis, until } from '../../support/redis.ts';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';

const TIMEOUT_MS = 120_000;

/** The log is founded anew, behind three seconds in which whoever holds more comes forward. */
const BACK_WITHIN_SECONDS = 15;

/** Two gateways with clients at both, ended with the test. */
async function loaded({ onTestFinished }: TestContext) {
  const deployment = await deploy();
  const links = await Promise.all(['a', 'b'].map(() => startTcpProxy({ serverPort: deployment.redis.port })));
  onTestFinished(async () => {
    await deployment.dispose();
    await Promise.all(links.map((link) => link.close()));
  });
  const [linkOfA, linkOfB] = links as [TcpProxy, TcpProxy];
  const start = (name: 'a' | 'b') => {
    const { port } = name === 'a' ? linkOfA : linkOfB;
    return deployment.start(name, { VIGIE_REDIS_URL: `redis://127.0.0.1:${port}` });
  };
  const gateways = await Promise.all([start('a'), start('b')]);
  const [a, b] = gateways as [Gateway, Gateway];
  const fleet = new Map([
    ['a', a],
    ['b', b],
  ]);
  await fresh(gateways);
  await acknowledged(a, 'before');
  await answered(gateways, 'before', 'revoked');
  const recording = record({ fleet });
  onTestFinished(() => recording.stop());
  await recording.more();
  return { redis: deployment.redis, deployment, start, linkOfA, linkOfB, fleet, recording, gateways, a, b };
}

/** A gateway without a copy, come in the middle of it, must not take what it finds for the whole truth. */
async function newcomerKnows(newcomer: Gateway, { expect }: TestContext): Promise<void> {
  expect((await verify(newcomer.data, card('before'))).reason).not.toBe('ok');
  await fresh([newcomer], BACK_WITHIN_SECONDS);
  await answered([newcomer], 'before', 'revoked');
  await answered([newcomer], 'after', 'revoked');
  await newcomer.dispose();
}

/** Everybody is back, and works: a change more, and load for a while. */
async function healed(gateways: readonly Gateway[], recording: Recording): Promise<void> {
  await fresh(gateways, BACK_WITHIN_SECONDS);
  await acknowledged(gateways[0] as Gateway, 'after');
  await answered(gateways, 'before', 'revoked');
  await recording.more();
}

const counted = async (gateways: readonly Gateway[], name: string): Promise<number> => {
  const samples = await Promise.all(gateways.map(({ metrics }) => scrape(metrics)));
  return samples.reduce((sum, sample) => sum + (sample.get(name) ?? 0), 0);
};
const HEALINGS = 'vigie_revocation_healings_total';

describe.concurrent('under load', () => {
  it('a Redis that comes back empty is filled again', { timeout: TIMEOUT_MS }, async (test) => {
    const { redis, deployment, fleet, recording, gateways } = await loaded(test);
    const before = await counted(gateways, HEALINGS);
    await redis.restart({ wipe: true });
    const newcomer = await deployment.start('newcomer');
    await healed(gateways, recording);
    await newcomerKnows(newcomer, test);
    test.expect(await counted(gateways, HEALINGS)).toBeGreaterThan(before);
    await test.annotate(JSON.stringify(await judged('emptied', recording, fleet, redis)));
  });

  it('an older backup brought back is brought up to date', { timeout: TIMEOUT_MS }, async (test) => {
    const { redis, deployment, fleet, recording, gateways } = await loaded(test);
    const before = await counted(gateways, HEALINGS);
    await redis.admin.save();
    copyFileSync(join(redis.dir, 'dump.rdb'), join(redis.dir, 'backup.rdb'));
    await recording.more();
    copyFileSync(join(redis.dir, 'backup.rdb'), join(redis.dir, 'dump.rdb'));
    await redis.restart();
    const newcomer = await deployment.start('newcomer');
    await healed(gateways, recording);
    await newcomerKnows(newcomer, test);
    test.expect(await counted(gateways, HEALINGS)).toBeGreaterThan(before);
    await test.annotate(JSON.stringify(await judged('older-backup', recording, fleet, redis)));
  });

  it('a stream trimmed beyond one that was killed: it compares entries', {
    timeout: TIMEOUT_MS,
  }, async (test) => {
    const { redis, start, fleet, recording, a, b } = await loaded(test);
    fleet.delete('b');
    b.signal('SIGKILL');
    await b.ended;
    await recording.more();
    const [stream] = await redis.admin.keys(key('stream:*'));
    await redis.admin.xtrim(stream as string, 'MAXLEN', 0);
    await recording.more();
    const again = await start('b');
    fleet.set('b', again);
    await healed([a, again], recording);
    test.expect(await counted([again], 'vigie_revocation_reconciliations_total')).toBe(1);
    await test.annotate(JSON.stringify(await judged('trimmed', recording, fleet, redis)));
  });

  it('a failover to a replica that lagged behind: nothing is lost', { timeout: TIMEOUT_MS }, async (test) => {
    const { redis, linkOfA, linkOfB, fleet, recording, gateways } = await loaded(test);
    const replica = await startRedis();
    const behind = await startTcpProxy({ serverPort: redis.port });
    test.onTestFinished(async () => {
      await replica.stop();
      await behind.close();
    });
    await replica.admin.replicaof('127.0.0.1', behind.port);
    const seqOf = async ({ admin }: RedisServer) => Number(await admin.hget(key('log'), 'seq'));
    await until(async () => (await seqOf(replica)) > 0, 'the replica');
    behind.link('hold');
    await recording.more();
    test.expect(await seqOf(replica)).toBeLessThan(await seqOf(redis));
    redis.signal('SIGKILL');
    await replica.admin.replicaof('NO', 'ONE');
    for (const link of [linkOfA, linkOfB]) {
      link.pointTo(replica.port);
      link.link('refuse');
      link.link('pass');
    }
    await healed(gateways, recording);
    await test.annotate(JSON.stringify(await judged('lagging-replica', recording, fleet, replica)));
  });

  it('emptied when one gateway alone had the last change, and that one is back last: the other waits for it', {
    timeout: TIMEOUT_MS,
  }, async (test) => {
    const { redis, linkOfA, linkOfB, fleet, recording, gateways, a } = await loaded(test);
    linkOfB.link('hold');
    const changes = [{ card: 'known-to-a-alone', status: 'revoked' as const }];
    test.expect(await recording.call(() => a, changes, 'alone')).toBe('ok');
    linkOfA.link('refuse');
    linkOfB.link('refuse');
    await redis.restart({ wipe: true });
    linkOfB.link('pass');
    await sleep(500);
    linkOfA.link('pass');
    await healed(gateways, recording);
    await test.annotate(JSON.stringify(await judged('known-to-one', recording, fleet, redis)));
  });
});
