/** The shared log on a real Redis: following it, and what is missing from it. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  appendOf,
  epochOf,
  followLog,
  found,
  hashOf,
  must,
  openLog,
  record,
  stateAt,
} from './log-fixture.ts';
import { APPENDED, log, QUIET, server, url, useOneServer } from './one-server.ts';

useOneServer();

describe('following', () => {
  it('an empty Redis says so', async () => {
    expect(await log.follow(0, 10)).toEqual({ ok: true, value: { kind: 'empty' } });
  });

  it('gives the head and what comes after, at most as much as asked', async () => {
    const epoch = await found(log);
    const records = [1, 2, 3].map((seq) => record(seq, hashOf(seq)));
    expect(await log.append(appendOf(epoch, 0, records))).toEqual(APPENDED);
    const head = { ...QUIET, epoch, seq: 3, state: stateAt(epoch, 3), firstSeq: 1 };
    expect(await followLog(log)).toEqual({ kind: 'log', head, records });
    expect(await followLog(log, 1, 1)).toEqual({ kind: 'log', head, records: records.slice(1, 2) });
    expect((await followLog(log, 3)).records).toEqual([]);
  });

  it('shows a regression: the head is behind what was asked after', async () => {
    const epoch = await found(log, 5);
    const head = { ...QUIET, epoch, seq: 5, state: stateAt(epoch, 5), firstSeq: 6 };
    expect(await followLog(log, 9)).toEqual({ kind: 'log', head, records: [] });
  });

  it('never more than a thousand records a call', async () => {
    const epoch = await found(log);
    for (let at = 0; at < 2_000; at += 1_000) {
      const records = Array.from({ length: 1_000 }, (_, i) => record(at + i + 1, hashOf(at + i)));
      expect(await log.append(appendOf(epoch, at, records))).toEqual(APPENDED);
    }
    expect((await followLog(log, 0, 1_000_000)).records).toHaveLength(1_000);
  });

  it('a log of another secret or schema is foreign, and never founded over', async () => {
    await found(log);
    const other = openLog(url, { fingerprint: randomBytes(16) });
    const foreign = (because: string) => ({ ok: true, value: { kind: 'foreign', because } });
    expect(await other.follow(0, 1)).toEqual(foreign('fingerprint'));
    expect(await other.beginFounding(undefined, epochOf(9), 1_000)).toEqual({
      ok: true,
      value: { begun: false },
    });
    await server.admin.hset('{vigie}:log', 'schema', '3');
    expect(await log.follow(0, 1)).toEqual(foreign('schema'));
    expect(await log.beginFounding(undefined, epochOf(9), 1_000)).toEqual({
      ok: true,
      value: { begun: false },
    });
  });

  it.each([
    ['no epoch', ['hdel', '{vigie}:log', 'epoch']],
    ['a short epoch', ['hset', '{vigie}:log', 'epoch', 'short']],
    ['a seq that is no number', ['hset', '{vigie}:log', 'seq', '1e3']],
    ['a seq beyond whole numbers', ['hset', '{vigie}:log', 'seq', '9999999999999999']],
    ['a founding of no epoch', ['hset', '{vigie}:log', 'founding', 'short']],
    ['an epoch of zeros', ['hset', '{vigie}:log', 'epoch', Buffer.alloc(16)]],
    ['no state', ['hdel', '{vigie}:log', 'state']],
    [
      'other fields only',
      ['eval', "redis.call('DEL','{vigie}:log') redis.call('HSET','{vigie}:log','a','b')", '0'],
    ],
    ['another type', ['eval', "redis.call('DEL','{vigie}:log') redis.call('SET','{vigie}:log','b')", '0']],
  ])('with %s it is malformed', async (_what, [command, ...args]) => {
    await found(log);
    await server.admin.call(command as string, ...args);
    expect(await log.follow(0, 1)).toMatchObject({ ok: false, fault: 'malformed' });
    // Whoever cannot read it can found it anew.
    const epoch = await found(log, 4, 2);
    expect((await followLog(log, 4)).head).toMatchObject({ epoch, seq: 4 });
  });

  it('a log that is well is not founded anew by who saw none', async () => {
    await found(log);
    expect(await log.beginFounding(undefined, epochOf(2), 1_000)).toEqual({
      ok: true,
      value: { begun: false },
    });
  });

  it('two gateways follow each other into a new life', async () => {
    const first = await found(log);
    const other = openLog(url);
    await followLog(other);
    const second = epochOf(2);
    expect(must(await log.beginFounding(first, second, 1_000))).toEqual({ begun: true });
    expect(must(await other.follow(0, 1))).toEqual({ kind: 'founding', epoch: second });
    expect(must(await log.open(second, 0, stateAt(second, 0)))).toEqual({ opened: true });
    expect((await followLog(other)).head.epoch).toEqual(second);
  });
});

describe('records that are not there', () => {
  async function logOfFive(): Promise<string> {
    const epoch = await found(log);
    const records = [1, 2, 3, 4, 5].map((seq) => record(seq, hashOf(seq)));
    expect(await log.append(appendOf(epoch, 0, records))).toEqual(APPENDED);
    return `{vigie}:stream:${epoch.toString('hex')}`;
  }

  it('trimmed by an operator: the oldest kept says so', async () => {
    await server.admin.xtrim(await logOfFive(), 'MINID', '4-0');
    expect((await followLog(log)).head).toMatchObject({ seq: 5, firstSeq: 4 });
    expect((await followLog(log)).records.map(({ seq }) => seq)).toEqual([4, 5]);
    expect((await followLog(log, 4)).records.map(({ seq }) => seq)).toEqual([5]);
  });

  it('lost altogether: the first to come is the oldest', async () => {
    await server.admin.del(await logOfFive());
    expect((await followLog(log)).head).toMatchObject({ seq: 5, firstSeq: 6 });
  });

  it('missing in the middle, or at the end: what is there is given', async () => {
    const stream = await logOfFive();
    await server.admin.xdel(stream, '3-0', '5-0');
    const { head, records } = await followLog(log);
    expect([head.firstSeq, records.map(({ seq }) => seq)]).toEqual([1, [1, 2, 4]]);
    expect(await followLog(log, 4)).toMatchObject({ head: { seq: 5 }, records: [] });
  });

  it('beyond the head: given too, whatever their form, and no append gets over them', async () => {
    const stream = await logOfFive();
    const stray = record(9, hashOf(9));
    await server.admin.xadd(stream, '9-0', 'h', stray.hash, 'e', stray.entry);
    await server.admin.xadd(stream, '9-7', 'h', stray.hash, 'e', stray.entry);
    await server.admin.xadd(stream, '18446744073709551615-0', 'h', stray.hash, 'e', stray.entry);
    const zeros = { hash: Buffer.alloc(16), entry: Buffer.alloc(44) };
    const { head, records } = await followLog(log, 5);
    expect(head.seq).toBe(5);
    expect(records).toEqual([stray, { seq: 9, ...zeros }, { ...stray, seq: Number('18446744073709551615') }]);
    const next = [record(6, hashOf(6))];
    expect(await log.append(appendOf(head.epoch, 5, next))).toMatchObject({ fault: 'malformed' });

    // Deleted again, they stand in the way all the same: Redis remembers the highest id.
    await server.admin.xtrim(stream, 'MAXLEN', 0);
    expect(await log.append(appendOf(head.epoch, 5, next))).toEqual(APPENDED);
    expect((await followLog(log)).records).toEqual(next);
  });

  it('without the form of a record: given as zeros, which no MAC fits', async () => {
    const stream = await logOfFive();
    await server.admin.xtrim(stream, 'MAXLEN', 0);
    await server.admin.xadd(stream, '6-0', 'h', 'short', 'e', 'x');
    await server.admin.hset('{vigie}:log', 'seq', '6');
    const { records } = await followLog(log, 5);
    expect(records).toEqual([{ seq: 6, hash: Buffer.alloc(16), entry: Buffer.alloc(44) }]);
  });

  it('the log trims what nobody needs, in whole nodes', async () => {
    const epoch = await found(log);
    for (let at = 0; at < 3_000; at += 1_000) {
      const records = Array.from({ length: 1_000 }, (_, i) => record(at + i + 1, hashOf(at + i)));
      await log.append(appendOf(epoch, at, records));
    }
    expect(await log.trim(2_500)).toEqual({ ok: true, value: undefined });
    const { firstSeq } = (await followLog(log)).head;
    expect(firstSeq).toBeGreaterThan(2_300);
    expect(firstSeq).toBeLessThanOrEqual(2_501);
  });
});
