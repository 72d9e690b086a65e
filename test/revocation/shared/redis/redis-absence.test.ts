/** What becomes of each call when Redis is gone, empty or frozen. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../../../support/redis.ts';
import { appendOf, epochOf, followLog, found, hashOf, must, openLog, record } from './log-fixture.ts';

import { everyCall, fail, start, stopServers, urlOf, within } from './server-fixture.ts';

afterEach(stopServers);

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
