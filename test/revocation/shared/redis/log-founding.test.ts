/** The shared log on a real Redis: its entries, and how one life of it follows another. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FOLLOW } from '../../../../src/revocation/shared/redis/follow-script.ts';
import { emptyState, encodeState } from '../../../../src/revocation/store-state.ts';
import {
  appendOf,
  epochOf,
  followLog,
  found,
  hashOf,
  must,
  openLog,
  record,
  SECRET,
  scanAll,
  stateAt,
  supersede,
} from './log-fixture.ts';
import { APPENDED, log, QUIET, server, url, useOneServer } from './one-server.ts';

useOneServer();

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

describe('the schema', () => {
  const schema = () => server.admin.hget('{vigie}:log', 'schema');
  const superseding = (epoch: Buffer, seq: number) =>
    encodeState(SECRET.entryMacKey, epoch, { ...emptyState(), seq, superseded: 1 });
  const foreign = { ok: true, value: { kind: 'foreign', because: 'schema' } };

  /** What a gateway of the release before asks: it knows the first schema alone. */
  const followedByOlder = async () =>
    server.admin.eval(
      FOLLOW.text,
      ...[3, '{vigie}:log', '{vigie}:stream:x', '{vigie}:holds'],
      ...['1', (await server.admin.hgetBuffer('{vigie}:log', 'fingerprint')) as Buffer, '', 0, 1, 0],
    );

  it('is that of the release before until the first supersede, and from then on one that it leaves alone', async () => {
    const epoch = await found(log);
    await log.append(appendOf(epoch, 0, [record(1, hashOf(1))]));
    expect(await schema()).toBe('1');
    expect(await followedByOlder()).toEqual(['epoch', expect.anything()]);
    const state = superseding(epoch, 2);
    const first = { ...appendOf(epoch, 1, [supersede(2, hashOf(2), 10)]), state };
    expect(await log.append(first)).toEqual(APPENDED);
    expect(await schema()).toBe('2');
    expect(await followedByOlder()).toEqual(['foreign', 'schema']);
    expect(await followLog(log, 1)).toMatchObject({ head: { seq: 2, state }, records: first.records });
    // Also without any left, as after a loss, it stays: what was lost may come back.
    await log.append({ ...appendOf(epoch, 2, [record(3, hashOf(3))]), expectedState: state });
    expect(await schema()).toBe('2');
  });

  it('outlives a founding, which older gateways cannot begin; of a log made anew it is what its state asks for', async () => {
    const epoch = await found(log);
    const state = superseding(epoch, 1);
    await log.append({ ...appendOf(epoch, 0, [supersede(1, hashOf(1), 10)]), state });
    const next = epochOf(2);
    await log.beginFounding(epoch, next, 5_000);
    expect([await schema(), await followedByOlder()]).toEqual(['2', ['foreign', 'schema']]);
    await log.open(next, 1, superseding(next, 1));
    expect(await schema()).toBe('2');
    await server.admin.flushall();
    const anew = epochOf(3);
    await log.beginFounding(undefined, anew, 5_000);
    expect(await schema()).toBe('1');
    await log.open(anew, 1, superseding(anew, 1));
    expect(await schema()).toBe('2');
    await server.admin.hset('{vigie}:log', 'schema', '3');
    expect(await log.follow(0, 1)).toEqual(foreign);
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
