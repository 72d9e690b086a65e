/** What becomes of each call when Redis refuses, is read-only, full, frozen, gone, empty or behind. */
import { mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { serverName } from '../../../../src/revocation/shared/redis/follow.ts';
import type { LogResult, SharedLog } from '../../../../src/revocation/shared/shared-log.ts';
import {
  type RedisServer,
  type RedisServerOptions,
  replicate,
  startRedis,
  until,
} from '../../../support/redis.ts';
import {
  appendOf,
  closeLogs,
  epochOf,
  followLog,
  found,
  hashOf,
  must,
  openLog,
  record,
  stateAt,
} from './log-fixture.ts';

const servers: RedisServer[] = [];

async function start(options?: RedisServerOptions): Promise<RedisServer> {
  const server = await startRedis(options);
  servers.push(server);
  return server;
}

afterEach(async () => {
  closeLogs();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

const urlOf = (server: RedisServer) => `redis://127.0.0.1:${server.port}`;
const fail = (fault: string, code: string) => ({ ok: false, fault, code });

/** Whether the call ended within the time given, and its result. */
async function within<T>(limitMs: number, call: Promise<LogResult<T>>): Promise<LogResult<T>> {
  const begunMs = performance.now();
  const result = await call;
  expect(performance.now() - begunMs).toBeLessThan(limitMs);
  return result;
}

/** Each call of the contract, with arguments that are well. */
function everyCall(log: SharedLog, epoch: Buffer): Promise<LogResult<unknown>>[] {
  return [
    log.follow(0, 10),
    log.append(appendOf(epoch, 0, [record(1, hashOf(1))])),
    log.entriesOf([hashOf(1)]),
    log.scanEntries(epoch, '0'),
    log.beginFounding(epoch, epochOf(2), 1_000),
    log.putEntries(epoch, [record(1, hashOf(1))], 1_000),
    log.open(epoch, 0, stateAt(epoch, 0)),
    log.restore({ epoch, seq: 0, state: stateAt(epoch, 0) }, [record(1, hashOf(1))]),
    log.lives(),
    log.hold(1_000),
    log.lease('audit', 1_000),
    log.publishFilter({ header: Buffer.from('h'), bits: Buffer.alloc(600_000) }),
    log.readFilter(),
    log.trim(0),
  ];
}

describe('a Redis that is not there', () => {
  it('every call says so at once, and works when it is', async () => {
    const server = await start();
    const epoch = epochOf(1);
    server.signal('SIGKILL');
    await sleep(50);
    const log = openLog(urlOf(server));
    for (const call of everyCall(log, epoch)) {
      expect(await within(500, call)).toEqual(fail('unreachable', 'ECONNREFUSED'));
    }
    await server.restart();
    await until(async () => (await log.follow(0, 1)).ok, 'the connection');
    expect(must(await log.follow(0, 1))).toEqual({ kind: 'empty' });
  });

  it('killed with calls under way: they end at once; back empty, the log is empty', async () => {
    const server = await start();
    const log = openLog(urlOf(server));
    const epoch = await found(log);
    server.signal('SIGSTOP');
    const calls = everyCall(log, epoch);
    await sleep(50);
    server.signal('SIGKILL');
    for (const call of calls) {
      expect(await within(500, call)).toMatchObject({ ok: false, fault: 'unreachable' });
    }
    await server.restart({ wipe: true });
    await until(async () => (await log.follow(0, 1)).ok, 'the connection');
    expect(must(await log.follow(0, 1))).toEqual({ kind: 'empty' });
    // It appends on another connection.
    const continued = appendOf(epoch, 0, [record(1, hashOf(1))]);
    await until(async () => (await log.append(continued)).ok, 'the writing connection');
    expect(await log.append(appendOf(epoch, 0, [record(1, hashOf(1))]))).toEqual({
      ok: true,
      value: { kind: 'moved' },
    });
  });

  it('restarted from its append-only file it goes on, and a scan begun before does not', async () => {
    const server = await start({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
    const log = openLog(urlOf(server));
    const epoch = await found(log);
    const records = Array.from({ length: 1_000 }, (_, i) => record(i + 1, hashOf(i)));
    await log.append(appendOf(epoch, 0, records));
    await log.append(
      appendOf(
        epoch,
        1_000,
        records.map((_, i) => record(1_001 + i, hashOf(5_000 + i))),
      ),
    );
    const { cursor } = must(await log.scanEntries(epoch, '0'));
    await server.restart();
    await until(async () => (await log.follow(0, 1)).ok, 'the connection');
    expect((await followLog(log)).head).toMatchObject({ epoch, seq: 2_000 });
    await until(async () => (await log.scanEntries(epoch, '0')).ok, 'the bulk connection');
    expect(await log.scanEntries(epoch, cursor)).toEqual(fail('refused', 'SCAN_MOVED'));
  });

  it('closed calls end', async () => {
    const server = await start();
    const log = openLog(urlOf(server));
    const epoch = await found(log);
    server.signal('SIGSTOP');
    const calls = everyCall(log, epoch);
    log.close();
    for (const call of calls)
      expect(await within(700, call)).toMatchObject({ ok: false, fault: 'unreachable' });
    expect(await within(100, log.follow(0, 1))).toMatchObject({ ok: false, fault: 'unreachable' });
    server.signal('SIGCONT');
  });
});

describe('a frozen Redis (SIGSTOP)', () => {
  it('every call ends by its deadline, and what comes late changes nothing that has moved', async () => {
    const server = await start();
    const log = openLog(urlOf(server), { timeoutMs: 300 });
    const epoch = await found(log);
    server.signal('SIGSTOP');
    const results = await Promise.all(everyCall(log, epoch).map((call) => within(900, call)));
    for (const result of results) expect(result).toMatchObject({ ok: false, fault: 'unreachable' });
    expect(results[0]).toEqual(fail('unreachable', 'TIMEOUT'));
    // Reconnected to the kernel's backlog: still no answer, still in time.
    for (let i = 0; i < 3; i++) expect(await within(900, log.follow(0, 1))).toMatchObject({ ok: false });
    server.signal('SIGCONT');
    await until(async () => (await log.follow(0, 1)).ok, 'the connection');
  });

  it('an append that timed out may hold: its key tells, and it is there once', async () => {
    const server = await start();
    const log = openLog(urlOf(server), { timeoutMs: 300 });
    const epoch = await found(log);
    // Redis knows the script from here on; one sent by a name that it does not know could not hold.
    expect(must(await log.append(appendOf(epoch, 7, [record(8, hashOf(1))])))).toEqual({ kind: 'moved' });
    server.signal('SIGSTOP');
    const idempotency = { hash: hashOf(9), answer: Buffer.from('answer') };
    const request = { ...appendOf(epoch, 0, [record(1, hashOf(1))]), idempotency };
    expect(await log.append(request)).toEqual(fail('unreachable', 'TIMEOUT'));
    server.signal('SIGCONT');
    await until(async () => (await log.follow(0, 1)).ok, 'the connection');
    // What Redis had received before the connection ended it carries out all the same.
    await until(async () => (await followLog(log)).head.seq === 1, 'the append');
    await until(async () => (await log.append(request)).ok, 'the writing connection');
    expect(must(await log.append(request))).toEqual({ kind: 'repeated', answer: idempotency.answer });
    expect((await followLog(log)).head.seq).toBe(1);
  });
});

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
    const server = await start({ args: ['--save', '3600 1'] });
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
    // A tenth of a second for each key, and others served between.
    const slow = ['--key-load-delay', '100000', '--loading-process-events-interval-bytes', '1024'];
    const server = await start({ args: ['--appendonly', 'yes', ...slow] });
    const log = openLog(urlOf(server));
    await found(log);
    for (let i = 0; i < 20; i++) await server.admin.set(`filler:${i}`, Buffer.alloc(10_000, i));
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

  it('in cluster mode, where its replicas could not be asked', async () => {
    const server = await start({ args: ['--cluster-enabled', 'yes'] });
    await server.admin.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383);
    const log = openLog(urlOf(server));
    const code = async () => {
      const result = await log.follow(0, 1);
      return result.ok ? 'OK' : result.code;
    };
    await until(async () => (await code()) === 'CLUSTERMODE', 'CLUSTERMODE');
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

describe('replicas that must confirm', () => {
  const options = { waitReplicas: 1, waitMs: 200, timeoutMs: 1_000 };

  it('confirm, or the append holds and is said to be unconfirmed; a repetition waits anew', async () => {
    const [primary, replica] = [await start(), await start()];
    await replicate(replica, primary);
    const log = openLog(urlOf(primary), options);
    const epoch = await found(log);
    expect(must(await log.append(appendOf(epoch, 0, [record(1, hashOf(1))])))).toEqual({ kind: 'appended' });

    replica.signal('SIGSTOP');
    const idempotency = { hash: hashOf(9), answer: Buffer.from('answer') };
    const request = { ...appendOf(epoch, 1, [record(2, hashOf(2))]), idempotency };
    expect(must(await within(900, log.append(request)))).toEqual({ kind: 'unconfirmed' });
    expect((await followLog(log)).head.seq).toBe(2);
    expect(must(await log.append(request))).toEqual({ kind: 'unconfirmed' });
    // By another gateway as well, whose own connection never wrote the record.
    const other = openLog(urlOf(primary), options);
    expect(must(await other.append(request))).toEqual({ kind: 'unconfirmed' });

    replica.signal('SIGCONT');
    const repeated = { kind: 'repeated', answer: idempotency.answer };
    await until(async () => must(await other.append(request)).kind === 'repeated', 'the confirmation');
    expect(must(await log.append(request))).toEqual(repeated);
  });

  it('are asked by every call anew, also when they have had all of it before', async () => {
    const [primary, replica] = [await start(), await start()];
    await replicate(replica, primary);
    const log = openLog(urlOf(primary), options);
    const epoch = await found(log);
    const confirmed = async () => (await followLog(log)).head.confirmed;
    await until(confirmed, 'the confirmation');
    const nothing = appendOf(epoch, 0, []);
    expect(must(await log.append(nothing))).toEqual({ kind: 'appended' });
    // By its routine acknowledgement it has had everything, so that WAIT alone would be content.
    await sleep(1_500);
    replica.signal('SIGSTOP');
    expect(await primary.admin.wait(1, 100)).toBe(1);
    // Nothing has been written since, and still it does not confirm this.
    expect(await confirmed()).toBe(false);
    expect(must(await log.append(nothing))).toEqual({ kind: 'unconfirmed' });
    expect(must(await log.append({ ...nothing, expectedSeq: 1 }))).toEqual({ kind: 'moved' });
    // Where no replica is required, none is missed.
    expect((await followLog(openLog(urlOf(primary)))).head.confirmed).toBe(true);
    replica.signal('SIGCONT');
    await until(confirmed, 'the replica');
    expect(must(await log.append(nothing))).toEqual({ kind: 'appended' });
  });

  it('answer only for the primary that they follow: one that was left behind is confirmed by nobody', async () => {
    const [old, replica] = [await start(), await start()];
    await replicate(replica, old);
    const log = openLog(urlOf(old), options);
    await found(log);
    await until(async () => (await followLog(log)).head.confirmed, 'the confirmation');
    await replica.admin.replicaof('NO', 'ONE');
    expect((await within(900, log.follow(0, 1))).ok).toBe(true);
    expect((await followLog(log)).head.confirmed).toBe(false);
    // It still takes itself for the primary, and cannot say otherwise.
    expect(await old.admin.info('replication')).toContain('role:master');
  });

  it('confirm where writes are refused as well, memory being full', async () => {
    const [primary, replica] = [await start(), await start()];
    await replicate(replica, primary);
    const log = openLog(urlOf(primary), options);
    await found(log);
    await primary.admin.config('SET', 'maxmemory', '1');
    await until(async () => (await followLog(log)).head.confirmed, 'the confirmation');
  });

  it('waiting for them behind an append holds up nobody who follows for longer than their time', async () => {
    const [primary, replica] = [await start(), await start()];
    await replicate(replica, primary);
    const log = openLog(urlOf(primary), options);
    const epoch = await found(log);
    // From here on Redis knows the script, and the epoch is known: one call, one wait.
    await followLog(log);
    replica.signal('SIGSTOP');
    const append = log.append(appendOf(epoch, 0, [record(1, hashOf(1))]));
    const followed = await within(500, log.follow(0, 1));
    expect(must(followed)).toMatchObject({ head: { confirmed: false } });
    // Holds and leases wait for nobody.
    const follow = log.follow(0, 1);
    await within(150, log.hold(1_000));
    await within(150, log.lease('audit', 1_000));
    expect((await follow).ok).toBe(true);
    expect(must(await append)).toEqual({ kind: 'unconfirmed' });
    replica.signal('SIGCONT');
  });
});

describe('the name of the server', () => {
  it('stays over reconnections, and is another after a restart with the same data', async () => {
    const server = await start({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
    const log = openLog(urlOf(server));
    const epoch = await found(log);
    const before = (await followLog(log)).head;
    expect((await followLog(openLog(urlOf(server)))).head.server).toBe(before.server);
    await server.admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await until(async () => (await log.follow(0, 1)).ok, 'the connection');
    expect((await followLog(log)).head.server).toBe(before.server);
    await server.restart();
    await until(async () => (await log.follow(0, 1)).ok, 'the connection');
    const after = (await followLog(log)).head;
    expect(after).toEqual({ ...before, server: expect.not.stringMatching(before.server) });
    expect(after.epoch).toEqual(epoch);
  });

  it('is another when a server was a replica in between', async () => {
    const [primary, other] = [await start(), await start()];
    const log = openLog(urlOf(primary));
    await found(log);
    await replicate(other, primary);
    const before = (await followLog(log)).head;
    await other.admin.replicaof('NO', 'ONE');
    await replicate(primary, other);
    expect(await log.follow(0, 1)).toEqual(fail('refused', 'READONLY'));
    await primary.admin.replicaof('NO', 'ONE');
    await until(async () => (await log.follow(0, 1)).ok, 'the primary');
    const after = (await followLog(log)).head;
    expect(after).toEqual({ ...before, server: expect.not.stringMatching(before.server) });
    expect(after.server.split(' ')[0]).toBe(before.server.split(' ')[0]);
  });

  it('is the connection where a provider hides its ids', () => {
    const run = 'a'.repeat(40);
    expect(serverName(run, run, 'connection 1')).toBe(`${run} ${run}`);
    expect(serverName('', run, 'connection 1')).toBe('connection 1');
    expect(serverName(run, '', 'connection 2')).toBe('connection 2');
  });
});
