/** Following, reading entries, holds, and mending entries in place. */
import { expect } from 'vitest';
import { appendOf, epochOf, followLog, found, hashOf, must, record, stateAt } from '../redis/log-fixture.ts';
import { UNCONFIRMED_MS } from './log-world.ts';
import {
  done,
  entriesOfRecords,
  expectEntries,
  headOf,
  held,
  kind,
  livesOf,
  opened,
  otherState,
  recordsFrom,
  refused,
  restored,
  type Scenario,
} from './outcomes.ts';

export const READING: Readonly<Record<string, Scenario>> = {
  'where there is no log nothing is found and nothing is written': async (world) => {
    const log = world.gateway();
    const epoch = epochOf(1);
    const head = { epoch, seq: 0, state: stateAt(epoch, 0) };
    expect(await log.append(appendOf(epoch, 0, recordsFrom(1, 1)))).toEqual(kind('moved'));
    expect(await log.append(appendOf(epoch, 0, []))).toEqual(kind('moved'));
    expect(await log.restore(head, entriesOfRecords(recordsFrom(1, 1)))).toEqual(restored(false));
    expect(await log.putEntries(epoch, entriesOfRecords(recordsFrom(1, 1)), 1_000)).toEqual(held(false));
    expect(await log.open(epoch, 0, stateAt(epoch, 0))).toEqual(opened(false));
    expect(await log.entriesOf([hashOf(1), hashOf(2)])).toEqual(done([undefined, undefined]));
    expect(await log.scanEntries(epoch, '0')).toEqual(refused('EPOCH'));
    expect(await log.trim(10)).toEqual(done(undefined));
    expect(await livesOf(log)).toEqual([]);
    expect(await log.follow(0, 1)).toEqual(done({ kind: 'empty' }));
  },

  'the head and what comes after one’s own, at most as much as asked': async (world) => {
    const log = world.gateway();
    const epoch = await found(log);
    const records = recordsFrom(1, 7);
    await log.append(appendOf(epoch, 0, records));
    const followed = await followLog(log, 2, 3);
    expect(followed.records).toEqual(records.slice(2, 5));
    const { server } = followed.head;
    const quiet = { server, confirmed: true, held: false };
    expect(followed.head).toEqual({ epoch, seq: 7, state: stateAt(epoch, 7), firstSeq: 1, ...quiet });
    expect((await followLog(log, 7)).records).toEqual([]);
    expect((await followLog(log, Number.MAX_SAFE_INTEGER, 1)).records).toEqual([]);
  },

  'records that are lost are left out': async (world) => {
    const log = world.gateway();
    const epoch = await found(log);
    await log.append(appendOf(epoch, 0, recordsFrom(1, 5)));
    await world.loseRecord(epoch, 1);
    await world.loseRecord(epoch, 3);
    const { head, records } = await followLog(log);
    expect(records.map(({ seq }) => seq)).toEqual([2, 4, 5]);
    expect([head.seq, head.firstSeq]).toEqual([5, 2]);
    for (const seq of [2, 4, 5]) await world.loseRecord(epoch, seq);
    expect((await headOf(log)).firstSeq).toBe(6);
  },

  'records beyond the head are given': async (world) => {
    const log = world.gateway();
    const epoch = await found(log, 3);
    const strays = [record(4, hashOf(40)), record(9, hashOf(90))];
    for (const stray of strays) await world.forgeRecord(epoch, stray);
    const { head, records } = await followLog(log, 3);
    expect([head.seq, head.firstSeq]).toEqual([3, 4]);
    expect(records).toEqual(strays);
    expect((await followLog(log, 3, 1)).records).toEqual(strays.slice(0, 1));
    expect((await followLog(log, 4)).records).toEqual(strays.slice(1));
    // A new life has none of them.
    const next = epochOf(2);
    await log.beginFounding(epoch, next, 5_000);
    await log.open(next, 3, stateAt(next, 3));
    expect((await followLog(log, 3)).records).toEqual([]);
  },

  'answers name their server: another one after a restart': async (world) => {
    const [log, other] = [world.gateway(), world.gateway()];
    const epoch = await found(log);
    await log.append(appendOf(epoch, 0, recordsFrom(1, 2)));
    const before = await headOf(log);
    expect(await headOf(other)).toEqual(before);
    await world.restart();
    const after = await headOf(log);
    expect(after).toEqual({ ...before, server: expect.any(String) });
    expect(after.server).not.toBe(before.server);
    expect((await headOf(other)).server).toBe(after.server);
  },

  'a primary that its replica does not confirm says so, and nothing else changes': async (world) => {
    const log = world.gateway(UNCONFIRMED_MS);
    const epoch = await found(log, 2);
    const before = await headOf(log);
    expect(before.confirmed).toBe(true);
    await world.cutOff();
    expect(await headOf(log)).toEqual({ ...before, confirmed: false });
    expect(await headOf(world.gateway(UNCONFIRMED_MS))).toEqual({ ...before, confirmed: false });
    await world.rejoin();
    expect(await headOf(log)).toEqual(before);
    expect(before.epoch).toEqual(epoch);
  },

  'a hold is seen by everybody, in whatever life, until it is taken back': async (world) => {
    const [log, other, third] = [world.gateway(), world.gateway(), world.gateway()];
    // Given where there is no log yet.
    expect(await log.hold(30_000)).toEqual(done(undefined));
    const first = await found(other);
    for (const each of [log, other, third]) expect((await headOf(each)).held).toBe(true);
    const next = epochOf(2);
    await other.beginFounding(first, next, 5_000);
    await other.open(next, 0, stateAt(next, 0));
    expect((await headOf(third)).held).toBe(true);
    // One's own only; and each has one, however often it is given.
    await other.hold(30_000);
    await other.hold(30_000);
    await other.hold(0);
    expect((await headOf(third)).held).toBe(true);
    await log.hold(0);
    expect((await headOf(third)).held).toBe(false);
    await log.hold(0);
    expect((await headOf(third)).held).toBe(false);
  },

  'a hold lapses, and is renewed': async (world) => {
    const [log, other] = [world.gateway(), world.gateway()];
    await found(log);
    await log.hold(400);
    await world.elapse(250);
    await log.hold(400);
    await world.elapse(250);
    expect((await headOf(other)).held).toBe(true);
    await world.elapse(400);
    expect((await headOf(other)).held).toBe(false);
  },

  'entries are put back only while head and state stand': async (world) => {
    const log = world.gateway();
    const epoch = await found(log);
    const records = recordsFrom(1, 3);
    await log.append(appendOf(epoch, 0, records));
    const forged = { hash: hashOf(2), entry: record(2, hashOf(2), 'revoked').entry };
    await world.forgeEntry(epoch, forged);
    const good = entriesOfRecords(records).slice(1, 2);
    const head = { epoch, seq: 3, state: stateAt(epoch, 3) };
    const others = [
      { ...head, seq: 2 },
      { ...head, seq: 4 },
      { ...head, state: otherState(epoch, 3, 7) },
      { ...head, epoch: epochOf(1) },
    ];
    for (const other of others) expect(await log.restore(other, good)).toEqual(restored(false));
    expect(await log.entriesOf([hashOf(2)])).toEqual(done([forged.entry]));
    const before = await followLog(log);
    // What the state accounts for comes back, though a revocation stands in its place.
    expect(await log.restore(head, good)).toEqual(restored(true));
    expect(await log.restore(head, [])).toEqual(restored(true));
    await expectEntries(log, epoch, entriesOfRecords(records));
    expect(await followLog(log)).toEqual(before);
    await log.beginFounding(epoch, epochOf(2), 5_000);
    expect(await log.restore(head, good)).toEqual(restored(false));
  },

  'a scan goes on at the server only that began it, and while that life stands': async (world) => {
    const log = world.gateway();
    const epoch = epochOf(1);
    const entries = entriesOfRecords(recordsFrom(1, 3_000));
    await log.beginFounding(undefined, epoch, 5_000);
    await log.putEntries(epoch, entries, 5_000);
    await log.open(epoch, 3_000, stateAt(epoch, 3_000));
    await expectEntries(log, epoch, entries);
    const { cursor } = must(await log.scanEntries(epoch, '0'));
    expect(cursor).not.toBe('0');
    await world.restart();
    expect(await log.scanEntries(epoch, cursor)).toEqual(refused('SCAN_MOVED'));
    const again = must(await log.scanEntries(epoch, '0'));
    const next = epochOf(2);
    await log.beginFounding(epoch, next, 5_000);
    expect((await log.scanEntries(epoch, again.cursor)).ok).toBe(true);
    await log.open(next, 3_000, stateAt(next, 3_000));
    expect(await log.scanEntries(epoch, again.cursor)).toEqual(refused('EPOCH'));
  },
};
