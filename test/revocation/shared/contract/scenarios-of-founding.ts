/** How one life of the log ends and the next begins, and which entries stand meanwhile. */
import { expect } from 'vitest';
import { appendOf, epochOf, found, hashOf, record, stateAt } from '../redis/log-fixture.ts';
import {
  begun,
  done,
  entriesOfRecords,
  expectEntries,
  headOf,
  held,
  kind,
  livesOf,
  namesOf,
  opened,
  recordsFrom,
  refused,
  type Scenario,
} from './outcomes.ts';

const founding = (epoch: Buffer) => done({ kind: 'founding', epoch });

export const FOUNDING: Readonly<Record<string, Scenario>> = {
  'a life is begun, written and opened, once': async (world) => {
    const [log, other] = [world.gateway(), world.gateway()];
    const epoch = epochOf(1);
    const entries = entriesOfRecords(recordsFrom(1, 3));
    expect(await log.beginFounding(epochOf(1), epoch, 5_000)).toEqual(begun(false));
    expect(await log.beginFounding(undefined, epoch, 5_000)).toEqual(begun(true));
    expect(await other.follow(0, 1)).toEqual(founding(epoch));
    expect(await other.append(appendOf(epoch, 0, recordsFrom(1, 1)))).toEqual(kind('moved'));
    expect(await log.beginFounding(undefined, epoch, 5_000)).toEqual(begun(false));
    expect(await other.beginFounding(undefined, epochOf(2), 5_000)).toEqual(begun(false));
    expect(await other.beginFounding(epoch, epochOf(2), 5_000)).toEqual(begun(false));
    expect(await log.putEntries(epoch, entries.slice(0, 2), 5_000)).toEqual(held(true));
    expect(await log.putEntries(epoch, entries.slice(1), 5_000)).toEqual(held(true));
    expect(await log.putEntries(epoch, [], 5_000)).toEqual(held(true));
    expect(await log.putEntries(epochOf(1), entries, 5_000)).toEqual(held(false));
    expect(await log.open(epochOf(1), 3, stateAt(epoch, 3))).toEqual(opened(false));
    expect(await log.open(epoch, 3, stateAt(epoch, 3))).toEqual(opened(true));
    expect(await log.open(epoch, 3, stateAt(epoch, 3))).toEqual(opened(false));
    expect(await log.putEntries(epoch, entries, 5_000)).toEqual(held(false));
    expect(await headOf(other)).toMatchObject({ epoch, seq: 3, state: stateAt(epoch, 3), firstSeq: 4 });
    await expectEntries(other, epoch, entries);
    expect(await log.beginFounding(undefined, epochOf(2), 5_000)).toEqual(begun(false));
  },

  'the gateway that founds may begin again, with another epoch': async (world) => {
    const log = world.gateway();
    const first = await found(log);
    const [second, third] = [epochOf(2), epochOf(3)];
    expect(await log.beginFounding(first, second, 5_000)).toEqual(begun(true));
    expect(await log.beginFounding(first, third, 5_000)).toEqual(begun(false));
    expect(await log.beginFounding(second, third, 5_000)).toEqual(begun(true));
    expect(await log.putEntries(second, [], 5_000)).toEqual(held(false));
    expect(await log.open(second, 0, stateAt(second, 0))).toEqual(opened(false));
    expect(await log.open(third, 0, stateAt(third, 0))).toEqual(opened(true));
  },

  'a lease that lapsed lets another begin; until one does the founder goes on': async (world) => {
    const [log, other] = [world.gateway(), world.gateway()];
    const first = await found(log);
    const [second, third] = [epochOf(2), epochOf(3)];
    await log.beginFounding(first, second, 300);
    expect(await other.beginFounding(second, third, 300)).toEqual(begun(false));
    await world.elapse(400);
    expect(await other.follow(0, 1)).toEqual(founding(second));
    expect(await other.append(appendOf(first, 0, recordsFrom(1, 1)))).toEqual(kind('moved'));
    // What renews it keeps the other out again.
    expect(await log.putEntries(second, [], 300)).toEqual(held(true));
    expect(await other.beginFounding(second, third, 300)).toEqual(begun(false));
    await world.elapse(400);
    expect(await other.beginFounding(first, third, 5_000)).toEqual(begun(false));
    expect(await other.beginFounding(second, third, 5_000)).toEqual(begun(true));
    expect(await log.putEntries(second, [], 300)).toEqual(held(false));
    expect(await log.open(second, 0, stateAt(second, 0))).toEqual(opened(false));
    expect(await other.open(third, 0, stateAt(third, 0))).toEqual(opened(true));
  },

  'a founder may open after its lease lapsed, if nobody has begun': async (world) => {
    const log = world.gateway();
    const epoch = epochOf(1);
    await log.beginFounding(undefined, epoch, 100);
    await world.elapse(200);
    expect(await log.open(epoch, 5, stateAt(epoch, 5))).toEqual(opened(true));
    expect(await headOf(log)).toMatchObject({ epoch, seq: 5 });
  },

  'all lives stand until one opens: the one before, and those never opened': async (world) => {
    const [log, other] = [world.gateway(), world.gateway()];
    const [first, second, third] = [await found(log), epochOf(2), epochOf(3)];
    const records = recordsFrom(1, 2);
    await log.append(appendOf(first, 0, records));
    const [never, last] = [entriesOfRecords(recordsFrom(10, 3)), entriesOfRecords(recordsFrom(20, 1))];
    await log.beginFounding(first, second, 100);
    await log.putEntries(second, never, 100);
    await world.elapse(200);
    await other.beginFounding(second, third, 5_000);
    await other.putEntries(third, last, 5_000);
    expect(await livesOf(other)).toEqual(namesOf(first, second, third));
    await expectEntries(other, first, entriesOfRecords(records));
    await expectEntries(other, second, never);
    // By hash, the last life that was open is read.
    const hashes = [hashOf(1), hashOf(10), hashOf(20)];
    expect(await other.entriesOf(hashes)).toEqual(done([records[0]?.entry, undefined, undefined]));
    await other.open(third, 20, stateAt(third, 20));
    expect(await livesOf(other)).toEqual(namesOf(third));
    expect(await other.scanEntries(first, '0')).toEqual(refused('EPOCH'));
    expect(await other.scanEntries(second, '0')).toEqual(refused('EPOCH'));
    expect(await other.entriesOf(hashes)).toEqual(done([undefined, undefined, last[0]?.entry]));
  },

  'lives are found also when the head is lost, and the next is founded at once': async (world) => {
    const [log, other] = [world.gateway(), world.gateway()];
    const first = await found(log);
    const records = [record(1, hashOf(1)), record(2, hashOf(2))];
    await log.append(appendOf(first, 0, records));
    await log.beginFounding(first, epochOf(2), 30_000);
    await world.loseHead();
    expect(await other.follow(0, 1)).toEqual(done({ kind: 'empty' }));
    expect(await other.entriesOf([hashOf(1)])).toEqual(done([undefined]));
    expect(await livesOf(other)).toEqual(namesOf(first));
    await expectEntries(other, first, entriesOfRecords(records));
    // The lease of the founding that was lost with it holds nobody up.
    const next = epochOf(2);
    expect(await other.beginFounding(undefined, next, 5_000)).toEqual(begun(true));
    await other.putEntries(next, entriesOfRecords(records), 5_000);
    expect(await livesOf(other)).toEqual(namesOf(first, next));
    await other.open(next, 2, stateAt(next, 2));
    expect(await livesOf(other)).toEqual(namesOf(next));
    await expectEntries(other, next, entriesOfRecords(records));
  },
};
