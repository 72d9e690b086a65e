/** Replicas that must confirm, and by what one server is told from another. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { serverName } from '../../../../src/revocation/shared/redis/follow.ts';
import { replicate, until } from '../../../support/redis.ts';
import { appendOf, followLog, found, hashOf, must, openLog, record } from './log-fixture.ts';

import { fail, start, stopServers, urlOf, within } from './server-fixture.ts';

afterEach(stopServers);

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
