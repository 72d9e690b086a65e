/** Ways to Redis: an ACL user with no right too many, TLS, and Sentinel with a failover. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { readRedisCredentials } from '../../../../src/redis/credentials.ts';
import { REDIS_ACL, REDIS_CLUSTER_ACL } from '../../../../src/revocation/shared/redis/redis-log.ts';
import type { SharedLog } from '../../../../src/revocation/shared/shared-log.ts';
import {
  makeCertificate,
  type RedisServer,
  type RedisServerOptions,
  replicate,
  startRedis,
  startSentinel,
  until,
} from '../../../support/redis.ts';
import { startCluster } from '../../../support/redis-cluster.ts';
import {
  appendOf,
  closeLogs,
  epochOf,
  followLog,
  found,
  hashOf,
  must,
  NO_CREDENTIALS,
  openLog,
  record,
  scanAll,
  stateAt,
} from './log-fixture.ts';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  closeLogs();
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(options?: RedisServerOptions): Promise<RedisServer> {
  const server = await startRedis(options);
  cleanups.push(() => server.stop());
  return server;
}

/** Each call once, all of them well. */
async function useAll(log: SharedLog): Promise<void> {
  const epoch = await found(log);
  const idempotency = { hash: hashOf(9), answer: Buffer.from('answer') };
  const request = { ...appendOf(epoch, 0, [record(1, hashOf(1))]), idempotency };
  expect(must(await log.append(request)).kind).toBe('appended');
  expect(must(await log.append(request)).kind).toBe('repeated');
  expect((await followLog(log)).records).toHaveLength(1);
  expect(must(await log.entriesOf([hashOf(1)]))).toHaveLength(1);
  expect((await scanAll(log, epoch)).size).toBe(1);
  const { head } = await followLog(log);
  expect(must(await log.restore(head, [record(1, hashOf(1))]))).toEqual({ restored: true });
  must(await log.hold(1_000));
  expect((await followLog(log)).head.held).toBe(true);
  must(await log.hold(0));
  expect(must(await log.lives())).toEqual([epoch]);
  expect(must(await log.lease('filter', 1_000))).toEqual({ held: true });
  for (let i = 0; i < 3; i++) {
    must(await log.publishFilter({ header: Buffer.from('h'), bits: Buffer.alloc(300_000) }));
  }
  expect(must(await log.readFilter())?.bits).toHaveLength(300_000);
  must(await log.trim(1));
  const next = epochOf(2);
  expect(must(await log.beginFounding(epoch, next, 1_000))).toEqual({ begun: true });
  expect(must(await log.putEntries(next, [record(1, hashOf(1))], 1_000))).toEqual({ held: true });
  // Given up and begun again, by the same gateway.
  const last = epochOf(3);
  expect(must(await log.beginFounding(next, last, 1_000))).toEqual({ begun: true });
  expect(must(await log.open(last, 1, stateAt(last, 1)))).toEqual({ opened: true });
}

describe('an ACL user', () => {
  it('with the rights documented can do everything, and needs each of them', async () => {
    const server = await start();
    await server.admin.call('ACL', 'SETUSER', 'vigie', ...REDIS_ACL.split(' '), '>secret');
    const url = `redis://vigie@127.0.0.1:${server.port}/2`;
    const credentials = { ...NO_CREDENTIALS, password: 'secret' };
    // WAIT for no replica at all is still a WAIT; that none is there makes the answer `unconfirmed`.
    const waiting = openLog(url, { credentials, waitReplicas: 1, waitMs: 1 });
    expect(await waiting.append(appendOf(epochOf(1), 0, [record(1, hashOf(1))]))).toMatchObject({ ok: true });
    await useAll(openLog(url, { credentials }));
    const denied = (await server.admin.call('ACL', 'LOG')) as unknown[];
    expect(denied).toEqual([]);
    // What was used stands in the server's own statistics: no right is granted that nothing uses.
    const stats = await server.admin.info('commandstats');
    const granted = [...REDIS_ACL.matchAll(/\+([a-z|-]+)/g)].map(([, command]) => command as string);
    // Up to Redis 6.2 a command's subcommands are counted together.
    const used = (command: string) =>
      stats.includes(`cmdstat_${command}:`) || stats.includes(`cmdstat_${command.split('|')[0]}:`);
    expect(granted.filter((command) => !used(command))).toEqual([]);
  });

  it('may touch nothing beside the prefix', async () => {
    const server = await start();
    await server.admin.call('ACL', 'SETUSER', 'vigie', ...REDIS_ACL.split(' '), '>secret');
    const credentials = { ...NO_CREDENTIALS, password: 'secret' };
    const log = openLog(`redis://vigie@127.0.0.1:${server.port}`, { credentials, prefix: 'other' });
    expect(await log.follow(0, 1)).toEqual({ ok: false, fault: 'refused', code: 'NOPERM' });
  });

  it('in a cluster needs one right more, and neither databases nor messages', async () => {
    const cluster = await startCluster({ replicas: 0 });
    cleanups.push(() => cluster.stop());
    const rights = [...REDIS_ACL.split(' '), ...REDIS_CLUSTER_ACL.split(' ')].filter(
      (rule) => !['+publish', '+select', '&{vigie}:*'].includes(rule),
    );
    const allow = async (rules: readonly string[]) => {
      for (const { admin } of [cluster.owner, ...cluster.others]) {
        await admin.call('ACL', 'SETUSER', 'vigie', 'reset', ...rules, '>secret');
      }
    };
    await allow(rights);
    const credentials = { ...NO_CREDENTIALS, password: 'secret' };
    const url = cluster.url.replace('//', '//vigie@');
    const waiting = openLog(url, { credentials, waitReplicas: 1, waitMs: 1 });
    expect(await waiting.append(appendOf(epochOf(1), 0, [record(1, hashOf(1))]))).toMatchObject({ ok: true });
    await useAll(openLog(url, { credentials }));
    expect(await cluster.owner.admin.call('ACL', 'LOG')).toEqual([]);
    await allow(rights.filter((rule) => rule !== REDIS_CLUSTER_ACL));
    expect(await openLog(url, { credentials }).follow(0, 1)).toEqual({
      ok: false,
      fault: 'refused',
      code: 'NOPERM',
    });
  });

  it('stands in the documentation as it was tested', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../../docs/redis.md'), 'utf8');
    expect(page).toContain(REDIS_ACL);
    expect(page).toContain(`\`${REDIS_CLUSTER_ACL}\``);
  });
});

describe('TLS', () => {
  it('with the right authority; not with another, nor without', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'vigie-test-'));
    cleanups.push(() => rmSync(dir, { recursive: true }));
    const tls = makeCertificate(dir);
    const ca = readFileSync(tls.ca, 'utf8');
    const server = await start({ tls, admin: { tls: { ca } } });
    const files = { passwordFile: undefined, sentinelPasswordFile: undefined };
    const read = readRedisCredentials(
      { ...files, caFile: tls.ca, certFile: tls.cert, keyFile: tls.key },
      true,
    );
    if (!read.ok) throw new Error(read.errors.join());

    const url = `rediss://127.0.0.1:${server.port}`;
    await useAll(openLog(url, { credentials: read.credentials }));
    await server.admin.config('SET', 'tls-auth-clients', 'yes');
    expect((await followLog(openLog(url, { credentials: read.credentials }))).head.seq).toBe(1);
    await server.admin.config('SET', 'tls-auth-clients', 'no');

    const stranger = await openLog(url).follow(0, 1);
    expect(stranger).toMatchObject({ ok: false, fault: 'unreachable' });
    expect(stranger).toMatchObject({ code: expect.stringMatching(/CERT|ISSUER|VERIFY/) });
    const plain = openLog(`redis://127.0.0.1:${server.port}`, { timeoutMs: 300 });
    expect(await plain.follow(0, 1)).toMatchObject({ ok: false, fault: 'unreachable' });
  });
});

describe('TLS in a cluster', () => {
  it('reaches the nodes asked and the owner that they name', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'vigie-test-'));
    cleanups.push(() => rmSync(dir, { recursive: true }));
    const tls = makeCertificate(dir);
    const ca = readFileSync(tls.ca, 'utf8');
    const args = ['--tls-cluster', 'yes', '--tls-replication', 'yes'];
    const cluster = await startCluster({ replicas: 0, tls, admin: { tls: { ca } }, args });
    cleanups.push(() => cluster.stop());
    const url = cluster.url.replace('redis+', 'rediss+');
    await useAll(openLog(url, { credentials: { ...NO_CREDENTIALS, ca } }));
    const stranger = await openLog(url).follow(0, 1);
    expect(stranger).toMatchObject({ code: expect.stringMatching(/CERT|ISSUER|VERIFY/) });
  });
});

describe('Sentinel', () => {
  it('names the primary; after a failover all calls go to the new one, which says that it is another', async () => {
    const [primary, replica] = [await start(), await start()];
    await replicate(replica, primary);
    const sentinel = await startSentinel('main', primary.port);
    cleanups.push(() => sentinel.stop());
    // A sentinel that is not there is passed over.
    const log = openLog(`redis+sentinel://127.0.0.1:1,127.0.0.1:${sentinel.port}/main`, {
      waitReplicas: 1,
      waitMs: 500,
    });
    const epoch = await found(log);
    expect(must(await log.append(appendOf(epoch, 0, [record(1, hashOf(1))]))).kind).toBe('appended');
    const { head: before } = await followLog(log);
    expect(before.confirmed).toBe(true);

    primary.signal('SIGSTOP');
    const promoted = async () => (await replica.admin.info('replication')).includes('role:master');
    await until(promoted, 'the promotion');
    // No replica is left, so nothing is confirmed; but it answers.
    const headNow = async () => {
      const result = await log.follow(0, 1);
      return result.ok && result.value.kind === 'log' ? result.value.head : undefined;
    };
    await until(async () => (await headNow()) !== undefined, 'the new primary');
    expect(await headNow()).toMatchObject({ epoch, seq: 1, confirmed: false });
    expect((await headNow())?.server).not.toBe(before.server);
    const second = appendOf(epoch, 1, [record(2, hashOf(2))]);
    await until(async () => (await log.append(second)).ok, 'the writing connection');
    expect(await replica.admin.hget('{vigie}:log', 'seq')).toBe('2');

    // The old primary comes back and, when Sentinel is sure of it, is made a replica: then the new one is whole.
    primary.signal('SIGCONT');
    await until(async () => (await headNow())?.confirmed === true, 'the replica', 30);
    expect((await followLog(log)).head).toMatchObject({ epoch, seq: 2 });
    await until(async () => {
      const { seq } = (await followLog(log)).head;
      const appended = await log.append(appendOf(epoch, seq, [record(seq + 1, hashOf(3))]));
      return appended.ok && appended.value.kind === 'appended';
    }, 'a confirmed append');
  }, 60_000);

  it('nobody there: every call says so in time', async () => {
    const log = openLog('redis+sentinel://127.0.0.1:1,127.0.0.1:2/main');
    const begunMs = performance.now();
    expect(await log.follow(0, 1)).toEqual({ ok: false, fault: 'unreachable', code: 'NO_SENTINEL' });
    expect(performance.now() - begunMs).toBeLessThan(1_200);
  });
});
