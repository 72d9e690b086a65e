/** The contract of the shared log, each outcome, on a real Redis. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { SharedLog } from '../../../../src/revocation/shared/shared-log.ts';
import { type RedisServer, startRedis } from '../../../support/redis.ts';
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
  scanAll,
  stateAt,
} from './log-fixture.ts';

let server: RedisServer;
let url: string;
let log: SharedLog;

beforeAll(async () => {
  server = await startRedis();
  url = `redis://127.0.0.1:${server.port}`;
});
afterAll(() => server.stop());
beforeEach(async () => {
  await server.admin.flushall();
  log = openLog(url);
});
afterEach(closeLogs);

/** Of a head: no replica is asked, nobody holds it, and the server has its two ids. */
const QUIET = { server: expect.stringMatching(/^[0-9a-f]{40} [0-9a-f]{40}$/), confirmed: true, held: false };
const APPENDED = { ok: true, value: { kind: 'appended' } };
const MOVED = { ok: true, value: { kind: 'moved' } };
const FINAL = { ok: false, fault: 'refused', code: 'FINAL' };

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
    await server.admin.hset('{vigie}:log', 'schema', '2');
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

describe('appending', () => {
  it('continues the head or says that it has moved, and then writes nothing', async () => {
    const epoch = await found(log);
    expect(await log.append(appendOf(epoch, 0, [record(1, hashOf(1))]))).toEqual(APPENDED);
    expect(await log.append(appendOf(epoch, 0, [record(1, hashOf(2))]))).toEqual(MOVED);
    expect(await log.append(appendOf(epoch, 2, [record(3, hashOf(2))]))).toEqual(MOVED);
    expect(await log.append(appendOf(epochOf(1), 1, [record(2, hashOf(2))]))).toEqual(MOVED);
    expect(await scanAll(log, epoch)).toEqual(
      new Map([[hashOf(1).toString('hex'), record(1, hashOf(1)).entry]]),
    );
  });

  it('finds nothing to continue where there is no log, or one being founded', async () => {
    const epoch = epochOf(1);
    expect(await log.append(appendOf(epoch, 0, [record(1, hashOf(1))]))).toEqual(MOVED);
    await log.beginFounding(undefined, epoch, 1_000);
    expect(await log.append(appendOf(epoch, 0, [record(1, hashOf(1))]))).toEqual(MOVED);
  });

  it('never replaces a final status by another, whoever planned it', async () => {
    const epoch = await found(log);
    const initial = [
      record(1, hashOf(1), 'revoked'),
      record(2, hashOf(2), 'key-retired'),
      record(3, hashOf(3), 'suspended'),
    ];
    expect(await log.append(appendOf(epoch, 0, initial))).toEqual(APPENDED);
    const others = [
      record(4, hashOf(1), 'active'),
      record(4, hashOf(1), 'suspended'),
      record(4, hashOf(2), 'active'),
      record(4, hashOf(2), 'revoked'),
    ];
    for (const other of others) expect(await log.append(appendOf(epoch, 3, [other]))).toEqual(FINAL);
    // Within one call as well, and then none of its records holds.
    const within = [record(4, hashOf(3), 'revoked'), record(5, hashOf(3), 'active')];
    expect(await log.append(appendOf(epoch, 3, within))).toEqual(FINAL);
    expect((await followLog(log)).head.seq).toBe(3);
    expect(must(await log.entriesOf([hashOf(3)]))).toEqual([initial[2]?.entry]);
    // The same status again is no other one: its expiry may grow.
    expect(await log.append(appendOf(epoch, 3, [record(4, hashOf(1), 'revoked')]))).toEqual(APPENDED);
    expect(await log.append(appendOf(epoch, 4, [record(5, hashOf(3), 'active')]))).toEqual(APPENDED);
  });

  it('answers a repeated key as before, also when the log has moved on since', async () => {
    const epoch = await found(log);
    const idempotency = { hash: hashOf(77), answer: Buffer.from([0, 13, 10, 255]) };
    const request = { ...appendOf(epoch, 0, [record(1, hashOf(1), 'suspended')]), idempotency };
    expect(await log.append(request)).toEqual(APPENDED);
    expect(await log.append(appendOf(epoch, 1, [record(2, hashOf(1), 'active')]))).toEqual(APPENDED);
    const again = { ...appendOf(epoch, 2, [record(3, hashOf(1), 'suspended')]), idempotency };
    const repeated = { ok: true, value: { kind: 'repeated', answer: idempotency.answer } };
    expect(await log.append(again)).toEqual(repeated);
    expect(await log.append(request)).toEqual(repeated);
    expect((await followLog(log)).head.seq).toBe(2);
    const key = `{vigie}:idem:${epoch.toString('hex')}:${hashOf(77).toString('hex')}`;
    const lifeMs = await server.admin.pttl(key);
    expect(lifeMs).toBeGreaterThan(86_000_000);
    expect(lifeMs).toBeLessThanOrEqual(86_400_000);
  });

  it('keeps no answer of what it refused', async () => {
    const epoch = await found(log);
    const idempotency = { hash: hashOf(78), answer: Buffer.from('x') };
    expect(await log.append({ ...appendOf(epoch, 5, [record(6, hashOf(1))]), idempotency })).toEqual(MOVED);
    expect(await log.append({ ...appendOf(epoch, 0, [record(1, hashOf(1))]), idempotency })).toEqual(
      APPENDED,
    );
  });

  it('is binary safe', async () => {
    const epoch = await found(log);
    const hashes = [
      Buffer.alloc(16),
      Buffer.alloc(16, 0xff),
      Buffer.from('\r\n$-1\r\n*3\r\n\0%00s', 'latin1'),
    ];
    const records = hashes.map((hash, i) => ({
      seq: i + 1,
      hash,
      entry: Buffer.alloc(44, i === 1 ? 0xff : 0x0a),
    }));
    expect(await log.append(appendOf(epoch, 0, records))).toEqual(APPENDED);
    expect((await followLog(log)).records).toEqual(records);
    expect(must(await log.entriesOf(hashes))).toEqual(records.map(({ entry }) => entry));
    expect(await scanAll(log, epoch)).toEqual(new Map(records.map((r) => [r.hash.toString('hex'), r.entry])));
  });

  it('throws at a request that no gateway should make', async () => {
    const epoch = epochOf(1);
    await expect(log.append({ ...appendOf(epoch, 0, []), state: stateAt(epoch, 1) })).rejects.toThrow(
      RangeError,
    );
    const tooMany = Array.from({ length: 1_001 }, (_, i) => record(i + 1, hashOf(i)));
    await expect(log.append(appendOf(epoch, 0, tooMany))).rejects.toThrow(RangeError);
    await expect(log.restore({ epoch, seq: 0, state: stateAt(epoch, 0) }, tooMany)).rejects.toThrow(
      RangeError,
    );
    await expect(log.hold(60_001)).rejects.toThrow(RangeError);
    await expect(log.beginFounding(undefined, epoch, 60_001)).rejects.toThrow(RangeError);
    await expect(log.append(appendOf(epoch, 0, [record(2, hashOf(1))]))).rejects.toThrow(RangeError);
    const short = { seq: 1, hash: Buffer.alloc(15), entry: Buffer.alloc(44) };
    await expect(log.append(appendOf(epoch, 0, [short]))).rejects.toThrow(RangeError);
  });

  it('a stream that goes beyond the log is malformed, and nothing is written', async () => {
    const epoch = await found(log);
    await server.admin.xadd(`{vigie}:stream:${epoch.toString('hex')}`, '9-0', 'h', 'x', 'e', 'y');
    expect(await log.append(appendOf(epoch, 0, [record(1, hashOf(1))]))).toMatchObject({
      fault: 'malformed',
    });
    expect(await scanAll(log, epoch)).toEqual(new Map());
  });

  it.each(['entries', 'stream'])('%s of another type are malformed, and nothing is written', async (what) => {
    const epoch = await found(log);
    await server.admin.set(`{vigie}:${what}:${epoch.toString('hex')}`, 'x');
    expect(await log.append(appendOf(epoch, 0, [record(1, hashOf(1))]))).toMatchObject({
      fault: 'malformed',
    });
    expect(await server.admin.hget('{vigie}:log', 'seq')).toBe('0');
    // Who saw the log in this state may found it anew without having been able to read its epoch.
    await found(log, 0, 2);
  });

  it('recovers from a flush of scripts', async () => {
    const epoch = await found(log);
    await server.admin.script('FLUSH');
    expect(await log.append(appendOf(epoch, 0, [record(1, hashOf(1))]))).toEqual(APPENDED);
    await server.admin.script('FLUSH');
    expect((await followLog(log)).records).toHaveLength(1);
  });
});

describe('two gateways that append at once', () => {
  it('win each seq exactly once: ten thousand appends, one stream, entries that are its fold', async () => {
    const epoch = await found(log);
    const APPENDS = 10_000;
    const won = new Map<number, number>();
    const race = async (gateway: number) => {
      const mine = openLog(url);
      let seq = 0;
      for (let n = 0; seq < APPENDS; n++) {
        // Cards come again, now suspended, now not: only the right order gives the right fold.
        const hash = hashOf((gateway * 7_919 + n) % 997);
        const entry = record(seq + 1, hash, (gateway + n) % 2 === 0 ? 'suspended' : 'active');
        const appended = must(await mine.append(appendOf(epoch, seq, [entry])));
        if (appended.kind === 'appended') {
          expect(won.has(seq + 1)).toBe(false);
          won.set(seq + 1, gateway);
          seq++;
        } else {
          expect(appended.kind).toBe('moved');
          seq = (await followLog(mine, seq, 1)).head.seq;
        }
      }
    };
    await Promise.all([race(1), race(2)]);

    const { head } = await followLog(log);
    expect(won.size).toBe(head.seq);
    expect(new Set(won.values()).size).toBe(2);
    const fold = new Map<string, Buffer>();
    for (let seq = 0; seq < head.seq; ) {
      const { records } = await followLog(log, seq);
      for (const { hash, entry } of records) fold.set(hash.toString('hex'), entry);
      expect(records[0]?.seq).toBe(seq + 1);
      seq += records.length;
    }
    expect(await scanAll(log, epoch)).toEqual(fold);
    expect(head.state).toEqual(stateAt(epoch, head.seq));
  }, 60_000);
});

describe('entries', () => {
  it('are read by hash in order, with holes, over many calls', async () => {
    const epoch = await found(log);
    const records = Array.from({ length: 1_000 }, (_, i) => record(i + 1, hashOf(2 * i)));
    await log.append(appendOf(epoch, 0, records));
    const hashes = Array.from({ length: 9_001 }, (_, i) => hashOf(i));
    const entries = must(await log.entriesOf(hashes));
    expect(entries).toHaveLength(9_001);
    expect(entries[1_998]).toEqual(records[999]?.entry);
    expect(entries.filter((entry) => entry !== undefined)).toHaveLength(1_000);
    expect(must(await log.entriesOf([]))).toEqual([]);
  });

  it('of no log: there are none, and no life to scan', async () => {
    const refused = (code: string) => ({ ok: false, fault: 'refused', code });
    expect(must(await log.entriesOf([hashOf(1)]))).toEqual([undefined]);
    expect(await log.scanEntries(epochOf(1), '0')).toEqual(refused('EPOCH'));
  });

  it('of a life that ended in the middle of a scan are refused, never an end', async () => {
    const epoch = await found(log);
    for (let at = 0; at < 3_000; at += 1_000) {
      const records = Array.from({ length: 1_000 }, (_, i) => record(at + i + 1, hashOf(at + i)));
      await log.append(appendOf(epoch, at, records));
    }
    const { cursor } = must(await log.scanEntries(epoch, '0'));
    expect(cursor).not.toBe('0');
    const next = epochOf(2);
    await log.beginFounding(epoch, next, 1_000);
    // While the next life is founded this one can still be read.
    expect((await scanAll(log, epoch)).size).toBe(3_000);
    await log.open(next, 3_000, stateAt(next, 3_000));
    expect(await log.scanEntries(epoch, cursor)).toEqual({ ok: false, fault: 'refused', code: 'EPOCH' });
  });
});

describe('founding', () => {
  const begun = (value: boolean) => ({ ok: true, value: { begun: value } });
  const held = (value: boolean) => ({ ok: true, value: { held: value } });
  const opened = (value: boolean) => ({ ok: true, value: { opened: value } });
  const entries = (count: number) =>
    Array.from({ length: count }, (_, i) => {
      const { hash, entry } = record(i + 1, hashOf(i));
      return { hash, entry };
    });

  it('puts all entries, opens, and drops the life before', async () => {
    const first = await found(log);
    await log.append(appendOf(first, 0, [record(1, hashOf(1))]));
    const second = epochOf(2);
    expect(await log.beginFounding(first, second, 5_000)).toEqual(begun(true));
    expect(await log.putEntries(second, entries(12_345), 5_000)).toEqual(held(true));
    expect(await log.open(second, 20_000, stateAt(second, 20_000))).toEqual(opened(true));
    const { head } = await followLog(log, 20_000);
    const state = stateAt(second, 20_000);
    expect(head).toEqual({ ...QUIET, epoch: second, seq: 20_000, state, firstSeq: 20_001 });
    expect((await scanAll(log, second)).size).toBe(12_345);
    const left = await server.admin.keys('*');
    expect(left.sort()).toEqual([`{vigie}:entries:${second.toString('hex')}`, '{vigie}:log']);
    expect(await log.append(appendOf(second, 20_000, [record(20_001, hashOf(1))]))).toEqual(APPENDED);
  });

  it('whose answer was lost has happened: sent again it says so, and the founder goes on', async () => {
    const epoch = epochOf(1);
    expect(await log.beginFounding(undefined, epoch, 5_000)).toEqual(begun(true));
    expect(await log.putEntries(epoch, entries(3), 5_000)).toEqual(held(true));
    // What was put stays: the repetition begins nothing.
    expect(await log.beginFounding(undefined, epoch, 5_000)).toEqual(begun(false));
    expect(await log.putEntries(epoch, entries(2), 5_000)).toEqual(held(true));
    expect(await log.open(epoch, 3, stateAt(epoch, 3))).toEqual(opened(true));
    expect(await log.open(epoch, 3, stateAt(epoch, 3))).toEqual(opened(false));
    expect((await scanAll(log, epoch)).size).toBe(3);
  });

  it('belongs to one at a time, and only if the log is still what was seen', async () => {
    const first = await found(log);
    const other = openLog(url);
    expect(await log.beginFounding(epochOf(1), epochOf(2), 5_000)).toEqual(begun(false));
    const second = epochOf(2);
    const results = await Promise.all([
      log.beginFounding(first, second, 5_000),
      other.beginFounding(first, epochOf(2), 5_000),
    ]);
    expect(results.map((result) => must(result).begun).sort()).toEqual([false, true]);
  });

  it('lapses with its lease: another begins, and the one before can do nothing more', async () => {
    const first = await found(log);
    await log.append(appendOf(first, 0, [record(1, hashOf(1))]));
    const other = openLog(url);
    const lapsed = epochOf(2);
    expect(await log.beginFounding(first, lapsed, 60)).toEqual(begun(true));
    expect(await log.putEntries(lapsed, entries(5), 60)).toEqual(held(true));
    expect(await other.beginFounding(lapsed, epochOf(3), 5_000)).toEqual(begun(false));
    await sleep(100);
    // Lapsed, though nobody has taken it yet: it may go on, for nothing has changed.
    expect(await log.putEntries(lapsed, entries(6), 60)).toEqual(held(true));
    expect(await other.beginFounding(lapsed, epochOf(3), 5_000)).toEqual(begun(false));
    await sleep(100);
    expect(must(await other.follow(0, 1))).toEqual({ kind: 'founding', epoch: lapsed });

    const third = epochOf(3);
    expect(await other.beginFounding(lapsed, third, 5_000)).toEqual(begun(true));
    expect(await log.putEntries(lapsed, entries(7), 60)).toEqual(held(false));
    expect(await log.open(lapsed, 1, stateAt(lapsed, 1))).toEqual(opened(false));
    // The last life that was open is still there to be read, and the founding that was given up.
    expect((await scanAll(other, first)).size).toBe(1);
    expect((await scanAll(other, lapsed)).size).toBe(6);
    expect(await other.open(third, 1, stateAt(third, 1))).toEqual(opened(true));
    expect(await server.admin.keys('*')).toEqual(['{vigie}:log']);
  });

  it('is not held up by a lease longer than any gateway takes', async () => {
    const first = await found(log);
    expect(await log.beginFounding(first, epochOf(2), 1_000)).toEqual(begun(true));
    await server.admin.hset('{vigie}:log', 'founder', 'somebody', 'until', '9000000000000000');
    const shown = must(await log.follow(0, 1));
    if (shown.kind !== 'founding') throw new Error(shown.kind);
    expect(await log.beginFounding(shown.epoch, epochOf(3), 1_000)).toEqual(begun(true));
  });

  it('finds every life by looking, among ten thousand other keys, also when the head is lost', async () => {
    const first = await found(log);
    await log.append(appendOf(first, 0, [record(1, hashOf(1))]));
    const never = epochOf(2);
    await log.beginFounding(first, never, 1_000);
    await log.putEntries(never, entries(2), 1_000);
    const filler = server.admin.pipeline();
    for (let i = 0; i < 10_000; i++) filler.set(`{vigie}:idem:${i}`, 'x');
    filler.set('{vigie}:entries:short', 'x').set('{vigie}:entrails', 'x').set('{vigies}:entries', 'x');
    filler.hset(`{autre}:entries:${'0'.repeat(32)}`, 'a', 'b').del('{vigie}:log');
    await filler.exec();
    expect(must(await log.follow(0, 1))).toEqual({ kind: 'empty' });
    const byName = (epochs: readonly Buffer[]) => epochs.map((epoch) => epoch.toString('hex')).sort();
    expect(byName(must(await log.lives()))).toEqual(byName([first, never]));
    expect((await scanAll(log, never)).size).toBe(2);

    // What is opened next drops them, with streams of which no entries are left.
    await server.admin.xadd(`{vigie}:stream:${epochOf(1).toString('hex')}`, '1-0', 'h', 'x', 'e', 'y');
    const next = await found(log, 5, 3);
    expect(must(await log.lives())).toEqual([]);
    const left = await server.admin.keys('{vigie}:*');
    expect(left.filter((key) => !key.includes(':idem:')).sort()).toEqual([
      '{vigie}:entrails',
      '{vigie}:entries:short',
      '{vigie}:log',
    ]);
    expect((await followLog(log)).head.epoch).toEqual(next);
  });
});

describe('holds', () => {
  it('that are no holds count as none, and the next one replaces them', async () => {
    await found(log);
    await server.admin.zadd('{vigie}:holds', Date.now() + 3_600_000, 'longer than any gateway holds');
    expect((await followLog(log)).head.held).toBe(false);
    await server.admin.set('{vigie}:holds', 'x');
    expect((await followLog(log)).head.held).toBe(false);
    must(await log.hold(5_000));
    expect((await followLog(log)).head.held).toBe(true);
    expect(await server.admin.pttl('{vigie}:holds')).toBeGreaterThan(5_000);
  });
});

describe('leases', () => {
  it('are held by one, renewed by it, and lapse', async () => {
    const other = openLog(url);
    const held = (value: boolean) => ({ ok: true, value: { held: value } });
    expect(await log.lease('filter', 80)).toEqual(held(true));
    expect(await other.lease('filter', 80)).toEqual(held(false));
    expect(await other.lease('audit', 80)).toEqual(held(true));
    expect(await log.lease('filter', 80)).toEqual(held(true));
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(await other.lease('filter', 5_000)).toEqual(held(true));
    expect(await log.lease('filter', 5_000)).toEqual(held(false));
  });
});

describe("the filter's snapshot", () => {
  const CHUNK = 256 * 1024;

  it('is published whole, the one before kept, the one before that dropped', async () => {
    expect(must(await log.readFilter())).toBeUndefined();
    const other = openLog(url);
    for (let i = 0; i < 3; i++) {
      const snapshot = { header: Buffer.from([i, 0, 255]), bits: randomBytes(10 * CHUNK + 17) };
      expect(await log.publishFilter(snapshot)).toEqual({ ok: true, value: undefined });
      const read = must(await other.readFilter());
      // Not by deep equality, which walks megabytes byte by byte.
      expect([read?.header.equals(snapshot.header), read?.bits.equals(snapshot.bits)]).toEqual([true, true]);
    }
    expect((await server.admin.keys('{vigie}:filter:*')).length).toBe(2 * 11);
    const [chunk] = await server.admin.keys('{vigie}:filter:*');
    expect(await server.admin.pttl(chunk as string)).toBeGreaterThan(6 * 86_400_000);
  });

  it('of which a chunk is missing or of another length is none, and reserves nothing', async () => {
    await log.publishFilter({ header: Buffer.from('h'), bits: randomBytes(3 * CHUNK) });
    const [chunk] = await server.admin.keys('{vigie}:filter:*');
    await server.admin.append(chunk as string, 'x');
    expect(must(await log.readFilter())).toBeUndefined();
    await server.admin.del(chunk as string);
    expect(must(await log.readFilter())).toBeUndefined();
    await server.admin.hset('{vigie}:filter', 'bytes', '4294967296');
    expect(must(await log.readFilter())).toBeUndefined();
    await server.admin.hset('{vigie}:filter', 'bytes', '99999999999');
    expect(await log.readFilter()).toMatchObject({ ok: false, fault: 'malformed' });
  });

  it.each([
    ['a string', ['set', '{vigie}:filter', 'x']],
    ['a hash of something else', ['hset', '{vigie}:filter', 'name', '../x', 'bytes', '1', 'header', 'h']],
  ])('where %s stands it is published over, since it is only a cache', async (_what, [command, ...args]) => {
    await server.admin.call(command as string, ...args);
    expect(await log.readFilter()).toMatchObject({ ok: false, fault: 'malformed' });
    const snapshot = { header: Buffer.from('h'), bits: randomBytes(5) };
    expect(await log.publishFilter(snapshot)).toEqual({ ok: true, value: undefined });
    expect(must(await log.readFilter())).toEqual(snapshot);
  });
});

describe('a prefix', () => {
  it('keeps deployments apart', async () => {
    const other = openLog(url, { prefix: 'essai.2' });
    await found(log);
    expect(must(await other.follow(0, 1))).toEqual({ kind: 'empty' });
    await found(other, 3);
    expect((await followLog(other)).head.seq).toBe(3);
    expect((await server.admin.keys('*')).sort()).toEqual(['{essai.2}:log', '{vigie}:log']);
    expect(() => openLog(url, { prefix: 'a}b' })).toThrow(RangeError);
  });
});
