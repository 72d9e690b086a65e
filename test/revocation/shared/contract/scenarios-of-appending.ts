/** Appending: bound to epoch, seq and state; keys that were used before; replicas that confirm or do not. */
import { expect } from 'vitest';
import type { Append } from '../../../../src/revocation/shared/shared-log.ts';
import {
  appendOf,
  epochOf,
  followLog,
  found,
  hashOf,
  record,
  stateAt,
  supersede,
} from '../redis/log-fixture.ts';
import { UNCONFIRMED_MS } from './log-world.ts';
import {
  done,
  entriesOfRecords,
  expectEntries,
  headOf,
  kind,
  otherState,
  recordsFrom,
  refused,
  type Scenario,
} from './outcomes.ts';

const KEY = hashOf(77);
const ANSWER = Buffer.from([0, 13, 10, 255]);
const REPEATED = done({ kind: 'repeated', answer: ANSWER });
const keeping = (request: Append): Append => ({ ...request, idempotency: { hash: KEY, answer: ANSWER } });
const asking = (request: Append): Append => ({ ...request, idempotency: { hash: KEY } });

export const APPENDING: Readonly<Record<string, Scenario>> = {
  'an append continues epoch, seq and state as they stand, or nothing is written': async (world) => {
    const log = world.gateway();
    const epoch = await found(log);
    const first = recordsFrom(1, 2);
    expect(await log.append(appendOf(epoch, 0, first))).toEqual(kind('appended'));
    const moved = [
      appendOf(epoch, 0, recordsFrom(1, 1)),
      appendOf(epoch, 1, recordsFrom(2, 1)),
      appendOf(epoch, 3, recordsFrom(4, 1)),
      appendOf(epochOf(1), 2, recordsFrom(3, 1)),
      { ...appendOf(epoch, 2, recordsFrom(3, 1)), expectedState: otherState(epoch, 2, 9) },
      { ...appendOf(epoch, 2, recordsFrom(3, 1)), expectedState: Buffer.alloc(0) },
    ];
    const before = await followLog(log);
    for (const request of moved) expect(await log.append(request)).toEqual(kind('moved'));
    expect(await followLog(log)).toEqual(before);
    await expectEntries(log, epoch, entriesOfRecords(first));
    expect(await log.append(appendOf(epoch, 2, recordsFrom(3, 1)))).toEqual(kind('appended'));
  },

  'an append planned on a tail that was lost does not pass, though the seq is the same': async (world) => {
    const [log, other] = [world.gateway(), world.gateway()];
    const epoch = await found(log);
    const goBack = await world.snapshot();
    const planned = otherState(epoch, 1, 111);
    await log.append({ ...appendOf(epoch, 0, [record(1, hashOf(1))]), state: planned });
    await goBack();
    const present = otherState(epoch, 1, 222);
    await other.append({ ...appendOf(epoch, 0, [record(1, hashOf(5))]), state: present });
    const request = appendOf(epoch, 1, [record(2, hashOf(2))]);
    expect(await log.append({ ...request, expectedState: planned })).toEqual(kind('moved'));
    expect(await log.append({ ...request, expectedState: present })).toEqual(kind('appended'));
  },

  'without records nothing changes, and it says whether the head stands': async (world) => {
    const log = world.gateway();
    const epoch = await found(log);
    await log.append(appendOf(epoch, 0, recordsFrom(1, 2)));
    const before = await followLog(log);
    expect(await log.append(appendOf(epoch, 2, []))).toEqual(kind('appended'));
    expect(await log.append(appendOf(epoch, 1, []))).toEqual(kind('moved'));
    const state = otherState(epoch, 2, 3);
    const stale = { ...appendOf(epoch, 2, []), expectedState: state, state };
    expect(await log.append(stale)).toEqual(kind('moved'));
    expect(await log.append(appendOf(epochOf(1), 2, []))).toEqual(kind('moved'));
    expect(await followLog(log)).toEqual(before);
  },

  'the instant of a supersede only goes forward': async (world) => {
    const log = world.gateway();
    const epoch = await found(log);
    const initial = [supersede(1, hashOf(1), 10.5), supersede(2, hashOf(2), 0)];
    await log.append(appendOf(epoch, 0, initial));
    const before = await followLog(log);
    const refusals = [
      [supersede(3, hashOf(1), 10.25)],
      [supersede(3, hashOf(1), 11), supersede(4, hashOf(1), 10.75)],
      [record(3, hashOf(1), 'revoked')],
      [record(3, hashOf(2), 'active')],
    ];
    for (const records of refusals) {
      expect(await log.append(appendOf(epoch, 2, records))).toEqual(refused('FINAL'));
    }
    expect(await followLog(log)).toEqual(before);
    await expectEntries(log, epoch, entriesOfRecords(initial));
    // Far apart, so that no way of comparing bytes but the right one holds.
    const allowed = [10.5, 11, 255, 256, 1_795_428_000, 253_402_300_799].map((instant, i) =>
      supersede(i + 3, hashOf(1), instant),
    );
    expect(await log.append(appendOf(epoch, 2, allowed))).toEqual(kind('appended'));
  },

  'a final status is never replaced by another': async (world) => {
    const log = world.gateway();
    const epoch = await found(log);
    const initial = [
      record(1, hashOf(1), 'revoked'),
      record(2, hashOf(2), 'key-retired'),
      record(3, hashOf(3), 'suspended'),
    ];
    await log.append(appendOf(epoch, 0, initial));
    const before = await followLog(log);
    const refusals = [
      [record(4, hashOf(1), 'active')],
      [record(4, hashOf(1), 'suspended')],
      [record(4, hashOf(2), 'revoked')],
      [record(4, hashOf(3), 'revoked'), record(5, hashOf(3), 'active')],
    ];
    for (const records of refusals) {
      expect(await log.append(appendOf(epoch, 3, records))).toEqual(refused('FINAL'));
    }
    expect(await followLog(log)).toEqual(before);
    await expectEntries(log, epoch, entriesOfRecords(initial));
    const allowed = [record(4, hashOf(1), 'revoked'), record(5, hashOf(3), 'active'), record(6, hashOf(3))];
    expect(await log.append(appendOf(epoch, 3, allowed))).toEqual(kind('appended'));
  },

  'a key that was answered is answered the same, whatever else is asked': async (world) => {
    const [log, other] = [world.gateway(), world.gateway()];
    const epoch = await found(log);
    const request = keeping(appendOf(epoch, 0, [record(1, hashOf(1), 'suspended')]));
    expect(await log.append(request)).toEqual(kind('appended'));
    await other.append(appendOf(epoch, 1, [record(2, hashOf(1))]));
    const before = await followLog(log);
    for (const each of [log, other]) {
      expect(await each.append(request)).toEqual(REPEATED);
      // What would be moved, or refused, is repeated all the same.
      expect(await each.append(keeping(appendOf(epoch, 9, [record(10, hashOf(4))])))).toEqual(REPEATED);
      expect(await each.append(keeping(appendOf(epoch, 2, [record(3, hashOf(1), 'active')])))).toEqual(
        REPEATED,
      );
      expect(await each.append(asking(appendOf(epoch, 2, [])))).toEqual(REPEATED);
    }
    expect(await followLog(log)).toEqual(before);
  },

  'to ask for an answer keeps none': async (world) => {
    const log = world.gateway();
    const epoch = await found(log);
    expect(await log.append(asking(appendOf(epoch, 0, [])))).toEqual(kind('appended'));
    expect(await log.append(asking(appendOf(epoch, 0, recordsFrom(1, 1))))).toEqual(kind('appended'));
    expect(await log.append(asking(appendOf(epoch, 1, [])))).toEqual(kind('appended'));
    // Nor does what was not done.
    expect(await log.append(keeping(appendOf(epoch, 7, recordsFrom(8, 1))))).toEqual(kind('moved'));
    expect(await log.append(asking(appendOf(epoch, 1, [])))).toEqual(kind('appended'));
    // A change without effect is answered and kept.
    expect(await log.append(keeping(appendOf(epoch, 1, [])))).toEqual(kind('appended'));
    expect(await log.append(asking(appendOf(epoch, 5, [])))).toEqual(REPEATED);
  },

  'an answer is of its life: another life neither knows it nor is asked': async (world) => {
    const log = world.gateway();
    const first = await found(log);
    const request = keeping(appendOf(first, 0, recordsFrom(1, 1)));
    await log.append(request);
    const next = epochOf(2);
    await log.beginFounding(first, next, 5_000);
    expect(await log.append(request)).toEqual(kind('moved'));
    await log.open(next, 1, stateAt(next, 1));
    expect(await log.append(request)).toEqual(kind('moved'));
    expect(await log.append(asking(appendOf(next, 1, [])))).toEqual(kind('appended'));
    expect(await log.append(keeping(appendOf(next, 1, recordsFrom(2, 1))))).toEqual(kind('appended'));
    expect(await log.append(asking(appendOf(next, 2, [])))).toEqual(REPEATED);
  },

  'what the replica does not confirm holds and is unconfirmed, repetitions as well': async (world) => {
    const [log, other] = [world.gateway(UNCONFIRMED_MS), world.gateway(UNCONFIRMED_MS)];
    const epoch = await found(log);
    const request = keeping(appendOf(epoch, 0, recordsFrom(1, 1)));
    await world.cutOff();
    // Nothing is written here, and yet nobody says that this head is the log's.
    expect(await log.append(appendOf(epoch, 0, []))).toEqual(kind('unconfirmed'));
    expect(await log.append(request)).toEqual(kind('unconfirmed'));
    expect((await headOf(log)).seq).toBe(1);
    for (const each of [log, other]) {
      expect(await each.append(request)).toEqual(kind('unconfirmed'));
      expect(await each.append(asking(appendOf(epoch, 1, [])))).toEqual(kind('unconfirmed'));
      expect(await each.append(appendOf(epoch, 0, []))).toEqual(kind('moved'));
    }
    await world.rejoin();
    for (const each of [log, other]) expect(await each.append(request)).toEqual(REPEATED);
    expect(await log.append(appendOf(epoch, 1, []))).toEqual(kind('appended'));
    expect((await headOf(log)).seq).toBe(1);
  },
};
