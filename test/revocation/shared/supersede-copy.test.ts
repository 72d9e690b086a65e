/** Supersedes in the durable copy: applied, merged by the later instant, kept over restarts, and by no older release read. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { holderHash } from '../../../src/revocation/card-hash.ts';
import { saveFilter } from '../../../src/revocation/filter-saving.ts';
import { newEpoch } from '../../../src/revocation/shared/epoch.ts';
import type { StatusStore } from '../../../src/revocation/status-store.ts';
import { sameEntries } from '../../../src/revocation/store-account.ts';
import { isSuperseded } from '../../../src/revocation/superseded.ts';
import { closeStore, ISS, openStore, START_MS, temporaryDirectory, testClock } from '../store-fixture.ts';
import { openCopy, tally } from './copy-fixture.ts';
import { good, record, SECRET, supersede } from './synthetic-log.ts';

const storeDir = () => join(temporaryDirectory(), 'status');
const hashOf = (sub: string) => holderHash(SECRET.cardHashKey, ISS, sub);
const schemaOf = (store: StatusStore) => store.db.meta.get(Buffer.from('header'))?.readUInt32BE(0);
const stateBytes = (store: StatusStore) => store.db.meta.get(Buffer.from('state'))?.length;
/** As every release before wrote it. */
const FIRST_STATE_BYTES = 6 * 8 + 15 * 4 + 16;

describe('a copy', () => {
  it('has the form that every release reads until it holds a supersede, then one that older ones refuse', async () => {
    const dir = storeDir();
    const { store, copy } = await openCopy(dir);
    good(copy.apply([record(1, 'a'), record(2, 'b', 'suspended')]));
    expect([schemaOf(store), stateBytes(store)]).toEqual([1, FIRST_STATE_BYTES]);
    expect(store.supersedes.isRaised()).toBe(false);
    const head = good(copy.apply([supersede(3, 'h', 10.5)]));
    expect(head.state).toMatchObject({ revoked: 1, suspended: 1, superseded: 1 });
    expect(sameEntries(head.state, tally(store))).toBe(true);
    expect([schemaOf(store), stateBytes(store)]).toEqual([2, FIRST_STATE_BYTES + 8]);
    expect(store.supersedes.isRaised()).toBe(true);
    expect(store.filter.mightContain(hashOf('h'))).toBe(true);
    await closeStore(store);

    const again = await openCopy(dir);
    expect(again.store.start.by).toBe('survey');
    expect(good(again.copy.head())).toEqual(head);
    expect(again.store.supersedes.isRaised()).toBe(true);
    expect(again.store.supersedeOf(hashOf('h'))).toEqual({
      status: 'superseded',
      issuedBefore: 10.5,
      sinceMs: START_MS + 3,
      why: 'superseded',
      isLatest: true,
    });
    expect(again.store.supersedeOf(hashOf('nobody'))).toEqual({ status: 'active' });
  });

  it('started from its filter has the holders in it, and raises the flag without looking at an entry', async () => {
    const dir = storeDir();
    const first = await openCopy(dir);
    good(first.copy.apply([record(1, 'a'), supersede(2, 'in the file', 10)]));
    expect(await saveFilter(first.store, 0)).toEqual({ ok: true, value: 'saved' });
    good(first.copy.apply([supersede(3, 'since', 10)]));
    await closeStore(first.store);
    const store = await openStore(dir, testClock());
    expect(store.start).toEqual({ by: 'file', replayed: 1 });
    expect(store.supersedes.isRaised()).toBe(true);
    for (const sub of ['in the file', 'since']) {
      expect(store.filter.mightContain(hashOf(sub))).toBe(true);
      // Not audited yet: an earlier instant may have come back in place of the one that was written last.
      const answer = store.supersedeOf(hashOf(sub));
      expect([9.5, Number.NaN, 10, 11].map((iat) => isSuperseded(answer, iat))).toEqual([
        true,
        true,
        'unreadable',
        'unreadable',
      ]);
    }
  });

  it('refuses a record that would set an instant back, wholly', async () => {
    const { copy } = await openCopy(storeDir());
    const head = good(copy.apply([supersede(1, 'h', 10)]));
    const undoing = copy.apply([record(2, 'a'), supersede(3, 'h', 9.75)]);
    expect(undoing).toEqual({ ok: false, fault: 'damaged', code: 'revocation-final' });
    expect(good(copy.head())).toEqual(head);
    good(copy.apply([supersede(2, 'h', 10), supersede(3, 'h', 10.25)]));
  });

  it.each([
    ['theirs is later', 10, 11, 11],
    ['its own is later, though written before', 11, 10, 11],
  ])('merges by the later instant: %s', async (_, own, theirs, wanted) => {
    const { store, copy } = await openCopy(storeDir());
    good(copy.apply([supersede(1, 'h', own)]));
    good(copy.beginReconciliation());
    good(copy.merge([supersede(900, 'h', theirs), supersede(901, 'new', 5)]));
    const epoch = newEpoch(2n);
    expect(good(copy.adopt(epoch, 1_000)).state.superseded).toBe(2);
    expect(store.supersedeOf(hashOf('h'))).toMatchObject({ issuedBefore: wanted, isLatest: true });
    expect(good(await copy.audit())).toEqual({ sound: true });
  });

  it('that holds its first by a merge says so to all threads, and to whoever opens it later', async () => {
    const dir = storeDir();
    const { store, copy } = await openCopy(dir);
    good(copy.beginReconciliation());
    good(copy.merge([supersede(7, 'h', 10)]));
    expect([store.supersedes.isRaised(), schemaOf(store)]).toEqual([true, 2]);
    good(copy.adopt(newEpoch(3n), 7));
    expect(schemaOf(store)).toBe(2);
  });

  it('whose header says that it holds none asks for holders all the same, as its state says', async () => {
    const dir = storeDir();
    const { store, copy } = await openCopy(dir);
    good(copy.apply([supersede(1, 'h', 10)]));
    const header = Buffer.from(store.db.meta.get(Buffer.from('header')) as Buffer);
    header.writeUInt32BE(1, 0);
    store.db.meta.putSync(Buffer.from('header'), header);
    await closeStore(store);
    const again = await openStore(dir, testClock());
    expect(again.supersedes.isRaised()).toBe(true);
  });

  it('of which the only supersede rotted and is set aside goes on asking for holders', async () => {
    const dir = storeDir();
    const { store, copy } = await openCopy(dir);
    good(copy.apply([supersede(1, 'h', 10)]));
    const entry = Buffer.from(store.db.cards.get(hashOf('h')) as Buffer);
    entry[13] = (entry[13] as number) ^ 1;
    store.db.cards.putSync(hashOf('h'), entry);
    expect(good(await copy.audit())).toEqual({ sound: false });
    good(copy.quarantine([hashOf('h')]));
    good(copy.adopt(newEpoch(4n), 1));
    expect(good(copy.head()).state.superseded).toBe(0);
    await closeStore(store);
    const again = await openStore(dir, testClock());
    expect([again.supersedes.isRaised(), again.filter.mightContain(hashOf('h'))]).toEqual([true, true]);
    expect(again.supersedeOf(hashOf('h'))).toEqual({ status: 'unreadable' });
  });
});
