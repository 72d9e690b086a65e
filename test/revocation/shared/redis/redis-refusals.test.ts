/** What becomes of each call when Redis refuses, is read-only, full, or loading its data. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { replicate, until } from '../../../support/redis.ts';
import { appendOf, epochOf, followLog, found, hashOf, must, openLog, record } from './log-fixture.ts';

import { fail, start, stopServers, urlOf, within } from './server-fixture.ts';

afterEach(stopServers);

describe('a Redis that refuses', () => {
  it('a replica is not followed: it would agree with the past for ever', async () => {
    const [primary, replica] = [await start(), await start()];
    const epoch = await found(openLog(urlOf(primary)));
    await replicate(replica, primary);
    const log = openLog(urlOf(replica));
    expect(await log.follow(0, 1)).toEqual(fail('refused', 'READONLY'));
    expect(await log.append(appendOf(epoch, 0, [record(1, hashOf(1))]))).toEqual(fail('refused', 'READONLY'));
    expect(await log.lease('audit', 100)).toEqual(fail('refused', 'READONLY'));
    // Promoted, it is the primary, and found to be so on a fresh connection.
    await replica.admin.replicaof('NO', 'ONE');
    await until(async () => (await log.follow(0, 1)).ok, 'the promoted one');
    expect((await followLog(log)).head.epoch).toEqual(epoch);
  });

  it('out of memory: nothing is appended, all can be followed', async () => {
    const server = await start();
    const log = openLog(urlOf(server));
    const epoch = await found(log);
    await log.append(appendOf(epoch, 0, [record(1, hashOf(1))]));
    await server.admin.config('SET', 'maxmemory', '1');
    const oom = fail('refused', 'OOM');
    expect(await log.append(appendOf(epoch, 1, [record(2, hashOf(2))]))).toEqual(oom);
    expect(await log.beginFounding(epoch, epochOf(2), 1_000)).toEqual(oom);
    expect(await log.publishFilter({ header: Buffer.from('h'), bits: Buffer.alloc(9) })).toEqual(oom);
    expect((await followLog(log)).head).toMatchObject({ epoch, seq: 1 });
    await server.admin.config('SET', 'maxmemory', '0');
    expect(must(await log.append(appendOf(epoch, 1, [record(2, hashOf(2))])))).toEqual({ kind: 'appended' });
  });

  it('unable to save (MISCONF): nothing is appended, all can be followed', async () => {
    const server = await start();
    await server.admin.config('SET', 'save', '3600 1');
    const log = openLog(urlOf(server));
    const epoch = await found(log);
    // A snapshot that cannot be written: its name is taken by a directory.
    mkdirSync(`${server.dir}/dump.rdb/x`, { recursive: true });
    await server.admin.bgsave();
    await until(
      async () => (await server.admin.info('persistence')).includes('rdb_last_bgsave_status:err'),
      'the error',
    );
    const misconf = fail('refused', 'MISCONF');
    expect(await log.append(appendOf(epoch, 0, [record(1, hashOf(1))]))).toEqual(misconf);
    expect(await log.lease('filter', 100)).toEqual(misconf);
    expect((await followLog(log)).head.seq).toBe(0);
  });

  it('too few replicas for its own rule (min-replicas-to-write): nothing is appended', async () => {
    const server = await start();
    const log = openLog(urlOf(server));
    const epoch = await found(log);
    await server.admin.config('SET', 'min-replicas-to-write', '1');
    expect(await log.append(appendOf(epoch, 0, [record(1, hashOf(1))]))).toEqual(
      fail('refused', 'NOREPLICAS'),
    );
    expect((await followLog(log)).head.seq).toBe(0);
  });

  it('still loading its data', async () => {
    // A tenth of a second for each key, and others served every two megabytes.
    const slow = ['--key-load-delay', '100000'];
    const server = await start({ args: ['--appendonly', 'yes', ...slow] });
    const log = openLog(urlOf(server));
    await found(log);
    for (let i = 0; i < 30; i++) await server.admin.set(`filler:${i}`, randomBytes(500_000));
    await server.admin.call('BGREWRITEAOF');
    const done = async () =>
      /aof_rewrite_in_progress:0[\s\S]*aof_rewrite_scheduled:0/.test(await server.admin.info('persistence'));
    await until(done, 'the rewrite');
    await server.restart({ ready: false });
    const code = async () => {
      const result = await log.follow(0, 1);
      return result.ok ? 'OK' : result.code;
    };
    await until(async () => (await code()) === 'LOADING', 'LOADING');
    await until(async () => (await code()) === 'OK', 'the end of loading');
  });

  it('a password asked for and not given, or the wrong one', async () => {
    const server = await start({ args: ['--requirepass', 'right'], admin: { password: 'right' } });
    const without = openLog(urlOf(server));
    expect(await without.follow(0, 1)).toEqual(fail('refused', 'NOAUTH'));
    const credentials = { sentinelPassword: undefined, ca: undefined, cert: undefined, key: undefined };
    const wrong = openLog(urlOf(server), { credentials: { ...credentials, password: 'CANARY' } });
    expect(await within(500, wrong.follow(0, 1))).toEqual(fail('refused', 'WRONGPASS'));
    const right = openLog(urlOf(server), { credentials: { ...credentials, password: 'right' } });
    expect(must(await right.follow(0, 1))).toEqual({ kind: 'empty' });
  });
});
