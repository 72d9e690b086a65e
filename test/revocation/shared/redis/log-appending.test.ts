/** The shared log on a real Redis: appending, by one and by two. */
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
  scanAll,
  stateAt,
} from './log-fixture.ts';
import { APPENDED, log, server, url, useOneServer } from './one-server.ts';

useOneServer();

const MOVED = { ok: true, value: { kind: 'moved' } };
const FINAL = { ok: false, fault: 'refused', code: 'FINAL' };

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
