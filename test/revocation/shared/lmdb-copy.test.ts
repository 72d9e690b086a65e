import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deriveSecret } from '../../../src/revocation/deployment-secret.ts';
import { MAX_LOG_RECORDS, trimLog } from '../../../src/revocation/log-records.ts';
import { generationOf, newEpoch } from '../../../src/revocation/shared/epoch.ts';
import type { HashedEntry } from '../../../src/revocation/shared/shared-log.ts';
import { logKey } from '../../../src/revocation/status-database.ts';
import { decodeEntry, encodeEntry, KEY_RETIRED } from '../../../src/revocation/status-entry.ts';
import { sameEntries } from '../../../src/revocation/store-account.ts';
import { closeStore, hashOf, START_MS, temporaryDirectory } from '../store-fixture.ts';
import { openCopy, tally } from './copy-fixture.ts';
import { good, keyHashOf, record, records, SECRET } from './synthetic-log.ts';

const storeDir = () => join(temporaryDirectory(), 'status');

describe('a new copy', () => {
  it('is at 0 of a first generation, whole and empty', async () => {
    const { copy } = await openCopy(storeDir());
    const head = good(copy.head());
    expect(head).toMatchObject({ seq: 0, whole: true, state: { revoked: 0, retiredKeys: 0 } });
    expect(generationOf(head.epoch)).toBe(1n);
  });
});

describe('records', () => {
  it('apply in one piece: entries, counts, digest, log, filter; and stay over a restart', async () => {
    const dir = storeDir();
    const { store, copy } = await openCopy(dir);
    const batch = [
      record(1, 'a'),
      record(2, 'b', 'suspended'),
      record(3, 'key', KEY_RETIRED),
      record(4, 'b', 'active'),
      record(5, 'c', 'suspended'),
    ];
    const head = good(copy.apply(batch));
    expect(head).toMatchObject({
      seq: 5,
      whole: true,
      state: { seq: 5, revoked: 1, suspended: 1, reinstated: 1, retiredKeys: 1, lastChangeMs: START_MS + 5 },
    });
    expect(sameEntries(head.state, tally(store))).toBe(true);
    for (const card of ['a', 'b', 'c']) expect(store.filter.mightContain(hashOf(card))).toBe(true);
    expect(store.retirementOf(keyHashOf('key'))).toBe('retired');
    expect([...store.db.log.getKeys({})].length).toBe(5);
    await closeStore(store);
    const again = await openCopy(dir);
    expect(good(again.copy.head())).toEqual(head);
    expect(again.store.statusOf(hashOf('a')).status).toBe('revoked');
  });

  it('say which issuer keys they retire', async () => {
    const retired: Buffer[] = [];
    const { copy } = await openCopy(storeDir(), {
      onRetiredKeys: (hashes) => retired.push(...hashes),
    });
    good(copy.apply([record(1, 'a'), record(2, 'k', KEY_RETIRED), record(3, 'b', 'suspended')]));
    good(copy.merge([record(9, 'other', KEY_RETIRED), record(9, 'z')]));
    expect(retired).toEqual([keyHashOf('k'), keyHashOf('other')]);
  });

  it.each([
    ['leave a gap', [record(3, 'b')], 'seq-gap'],
    ['repeat', [record(1, 'b')], 'seq-gap'],
    ['leave a gap among themselves', [record(2, 'b'), record(4, 'd')], 'seq-gap'],
    ['say another seq than their entry', [{ ...record(3, 'b'), seq: 2 }], 'seq-gap'],
    ['lift a revocation', [record(2, 'other'), record(3, 'a', 'active')], 'revocation-final'],
    ['soften a revocation', [record(2, 'a', 'suspended')], 'revocation-final'],
    ['have a short hash', [{ ...record(2, 'b'), hash: Buffer.alloc(15) }], 'malformed-entry'],
    ['have a short entry', [{ ...record(2, 'b'), entry: Buffer.alloc(43) }], 'malformed-entry'],
    ['have an unknown status', [{ ...record(2, 'b'), entry: Buffer.alloc(44, 9) }], 'malformed-entry'],
  ])('that %s change nothing', async (_, batch, code) => {
    const { store, copy } = await openCopy(storeDir());
    good(copy.apply([record(1, 'a')]));
    const before = good(copy.head());
    expect(copy.apply(batch)).toEqual({ ok: false, fault: 'damaged', code });
    expect(good(copy.head())).toEqual(before);
    expect(sameEntries(before.state, tally(store))).toBe(true);
    expect(store.statusOf(hashOf('other')).status).toBe('active');
  });

  it('of the log are kept up to a bound, the newest', async () => {
    const { store, copy } = await openCopy(storeDir());
    good(copy.apply(records(100)));
    const keys = () => [...store.db.log.getKeys({})].map((key) => Number(key.readBigUInt64BE()));
    const trim = (added: number) =>
      store.transact((state) => {
        trimLog(store.db, state.seq, added, 40);
        return { commit: true, value: undefined };
      });
    trim(10);
    expect(keys()[0]).toBe(21);
    trim(100);
    expect([keys()[0], keys().length]).toEqual([61, 40]);
    expect(MAX_LOG_RECORDS).toBeGreaterThanOrEqual(10 * 100_000);
  });
});

describe('a reconciliation', () => {
  it('merges by the winner rule, whatever the order, and adopts an epoch and a seq', async () => {
    const dir = storeDir();
    const { store, copy } = await openCopy(dir);
    good(copy.apply([record(1, 'a'), record(2, 'b', 'suspended'), record(3, 'c', 'suspended')]));
    good(copy.beginReconciliation());
    expect(good(copy.head())).toMatchObject({ seq: 3, whole: false });
    expect(copy.apply([record(4, 'd')])).toEqual({ ok: false, fault: 'damaged', code: 'reconciling' });
    const shared: HashedEntry[] = [
      record(9, 'a', 'active'),
      record(2, 'c', 'active'),
      record(8, 'b', 'active'),
      record(7, 'k', KEY_RETIRED),
      record(6, 'e'),
    ];
    good(copy.merge(shared));
    const merged = good(copy.head());
    good(copy.merge([...shared].reverse()));
    expect(good(copy.head())).toEqual(merged);
    expect(merged).toMatchObject({
      seq: 3,
      whole: false,
      state: { revoked: 2, suspended: 1, reinstated: 1 },
    });
    const epoch = newEpoch(7n);
    const head = good(copy.adopt(epoch, 9));
    expect(head).toMatchObject({ epoch, seq: 9, whole: true, state: { seq: 9 } });
    expect(store.epoch).toBe(epoch.toString('hex'));
    expect(sameEntries(head.state, tally(store))).toBe(true);
    expect(store.filter.mightContain(hashOf('e'))).toBe(true);
    good(copy.apply([record(10, 'f')]));
    await closeStore(store);
    const again = await openCopy(dir);
    expect(good(again.copy.head())).toMatchObject({ epoch, seq: 10, whole: true });
    expect(again.store.statusOf(hashOf('a')).status).toBe('revoked');
    expect(again.store.statusOf(hashOf('b')).status).toBe('active');
  });

  it('that was begun is known of after a restart, and clears no card until it ends', async () => {
    const dir = storeDir();
    const first = await openCopy(dir);
    good(first.copy.apply([record(1, 'b', 'suspended'), record(2, 'b', 'active')]));
    expect(first.store.statusOf(hashOf('b')).status).toBe('active');
    good(first.copy.beginReconciliation());
    expect(first.store.statusOf(hashOf('b')).status).toBe('unreadable');
    await closeStore(first.store);
    const { store, copy } = await openCopy(dir);
    expect(good(copy.head()).whole).toBe(false);
    expect(store.statusOf(hashOf('b')).status).toBe('unreadable');
    expect(store.statusOf(hashOf('never-heard-of')).status).toBe('unreadable');
    good(copy.adopt(newEpoch(2n), 2));
    expect(store.statusOf(hashOf('b')).status).toBe('active');
    expect(store.statusOf(hashOf('never-heard-of')).status).toBe('active');
  });

  it('to a lower seq drops the records beyond it', async () => {
    const { store, copy } = await openCopy(storeDir());
    good(copy.apply(records(10)));
    good(copy.beginReconciliation());
    good(copy.adopt(newEpoch(2n), 4));
    expect([...store.db.log.getKeys({})].at(-1)).toEqual(logKey(4));
    expect(good(copy.apply(records(2, 5, 'anew')))).toMatchObject({ seq: 6, state: { revoked: 12 } });
  });

  it('replaces what is damaged, and lets nothing forged win by its fields', async () => {
    const { store, copy } = await openCopy(storeDir());
    good(copy.apply([record(1, 'a')]));
    const forged = encodeEntry(deriveSecret(Buffer.alloc(32, 1)).entryMacKey, hashOf('a'), {
      status: 'revoked',
      why: undefined,
      sinceMs: 1,
      expiresAt: Infinity,
      seq: 99,
      extendsOnly: false,
    });
    store.db.root.transactionSync(() => {
      store.db.cards.put(hashOf('a'), forged);
    });
    good(copy.beginReconciliation());
    good(copy.merge([record(1, 'a')]));
    expect(store.statusOf(hashOf('a')).status).toBe('revoked');
  });

  it('refuses a malformed batch as a whole', async () => {
    const { copy } = await openCopy(storeDir());
    good(copy.beginReconciliation());
    const before = good(copy.head());
    const outcome = copy.merge([record(1, 'a'), { hash: Buffer.alloc(16), entry: Buffer.alloc(43) }]);
    expect(outcome).toEqual({ ok: false, fault: 'damaged', code: 'malformed-entry' });
    expect(good(copy.head())).toEqual(before);
  });
});

describe('an entry that nobody can give back', () => {
  it('is set aside: it counts as nothing, and its card is "cannot tell", over restarts, until it is mended', async () => {
    const dir = storeDir();
    const first = await openCopy(dir);
    good(first.copy.apply([...records(3), record(4, 'k', KEY_RETIRED)]));
    const whole = good(first.copy.head());
    first.store.db.root.transactionSync(() => {
      first.store.db.cards.putSync(hashOf('card-2'), Buffer.alloc(44, 1));
      first.store.db.retirements.putSync(keyHashOf('k'), Buffer.alloc(44, 3));
    });
    expect(good(await first.copy.audit())).toEqual({ sound: false });
    good(first.copy.quarantine([hashOf('card-1'), hashOf('card-2'), keyHashOf('k'), hashOf('unknown')]));
    good(first.copy.adopt(newEpoch(2n), 4));
    expect(good(first.copy.head()).state).toMatchObject({ revoked: 2, retiredKeys: 0 });
    expect(good(await first.copy.audit())).toEqual({ sound: true });
    await closeStore(first.store);

    const { store, copy } = await openCopy(dir);
    expect(sameEntries(good(copy.head()).state, tally(store))).toBe(true);
    expect(store.filter.mightContain(hashOf('card-2'))).toBe(true);
    expect(store.statusOf(hashOf('card-2')).status).toBe('unreadable');
    expect(store.retirementOf(keyHashOf('k'))).toBe('unreadable');
    expect(good(copy.entriesAfter(undefined, 10)).map(({ hash }) => hash)).toEqual(
      [hashOf('card-1'), hashOf('card-3')].sort(Buffer.compare),
    );
    expect(good(copy.entriesAfter(undefined, 1)).length).toBe(1);
    expect(
      decodeEntry(SECRET.entryMacKey, hashOf('card-2'), good(copy.entryOf(hashOf('card-2'))) as Buffer),
    ).toBe(undefined);
    good(copy.apply([record(5, 'k', KEY_RETIRED)]));
    good(copy.merge([record(2, 'card-2')]));
    expect(sameEntries(good(copy.head()).state, tally(store))).toBe(true);
    expect(good(copy.head()).state).toMatchObject({ revoked: whole.state.revoked, retiredKeys: 1 });
    expect(store.statusOf(hashOf('card-2')).status).toBe('revoked');
    expect(store.retirementOf(keyHashOf('k'))).toBe('retired');
  });
});

describe('the entry of a hash', () => {
  it('comes as it stands, of cards and keys; what may be missing comes as what no MAC fits', async () => {
    const { store, copy } = await openCopy(storeDir());
    good(copy.apply([record(1, 'a'), record(2, 'k', KEY_RETIRED)]));
    expect(good(copy.entryOf(hashOf('a')))).toEqual(record(1, 'a').entry);
    expect(good(copy.entryOf(keyHashOf('k')))).toEqual(record(2, 'k', KEY_RETIRED).entry);
    store.filter.add(hashOf('false-positive'));
    expect(good(copy.entryOf(hashOf('false-positive')))).toBe(undefined);
    store.completeness.set(false);
    expect(good(copy.entryOf(hashOf('false-positive')))?.length).toBe(1);
    expect(good(copy.entryOf(hashOf('never-heard-of')))).toBe(undefined);
  });
});

describe('records of what a reconciliation brought before', () => {
  it('change no entry, and may say less than it', async () => {
    const { store, copy } = await openCopy(storeDir());
    good(copy.beginReconciliation());
    good(copy.merge([record(3, 'a'), record(2, 'b', 'suspended')]));
    good(copy.adopt(newEpoch(2n), 0));
    good(copy.apply([record(1, 'a', 'suspended'), record(2, 'b', 'suspended'), record(3, 'a')]));
    expect(good(copy.head())).toMatchObject({ seq: 3, state: { revoked: 1, suspended: 1 } });
    expect(good(copy.entryOf(hashOf('a')))).toEqual(record(3, 'a').entry);
    expect(sameEntries(good(copy.head()).state, tally(store))).toBe(true);
  });
});

describe('a walk over the entries', () => {
  it('gives cards and retired keys in order of hash, each once', async () => {
    const { copy } = await openCopy(storeDir());
    const all = [
      ...records(50),
      ...Array.from({ length: 5 }, (_, i) => record(51 + i, `k${i}`, KEY_RETIRED)),
    ];
    good(copy.apply(all));
    for (const limit of [1, 7, 55, 1_000]) {
      const walked: HashedEntry[] = [];
      for (;;) {
        const next = good(copy.entriesAfter(walked.at(-1)?.hash, limit));
        expect(next.length).toBeLessThanOrEqual(limit);
        walked.push(...next);
        if (next.length === 0) break;
      }
      const expected = [...all].sort((a, b) => Buffer.compare(a.hash, b.hash));
      expect(walked).toEqual(expected.map(({ hash, entry }) => ({ hash, entry })));
    }
  });
});

describe('an audit', () => {
  it('of a sound copy says so, beside changes made meanwhile', async () => {
    const { copy } = await openCopy(storeDir());
    good(copy.apply(records(2_000)));
    const audit = copy.audit();
    for (let seq = 2_001; seq <= 2_020; seq++) {
      good(copy.apply([record(seq, `card-${seq - 2_000}`, 'revoked', { why: 'lost' })]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(good(await audit)).toEqual({ sound: true });
    expect(good(await copy.audit())).toEqual({ sound: true });
    expect(good(copy.head()).whole).toBe(true);
  });

  it.each([
    ['an entry lost', (put: Put) => put('card-3', undefined), 'unreadable'],
    ['an entry damaged', (put: Put) => put('card-3', Buffer.alloc(44, 2)), 'unreadable'],
    ['an entry cut short', (put: Put) => put('card-3', Buffer.alloc(20, 2)), 'unreadable'],
    ['an entry invented', (put: Put) => put('invented', Buffer.alloc(44, 2)), 'revoked'],
    [
      'an older entry come back',
      (put: Put) => put('card-3', record(1, 'card-3', 'active').entry),
      'unreadable',
    ],
  ])('finds %s, and a reconciliation mends it', async (_, damage, meanwhile) => {
    const { store, copy } = await openCopy(storeDir());
    const all = records(300);
    const whole = good(copy.apply(all));
    store.db.root.transactionSync(() => {
      damage((card, entry) => {
        if (entry === undefined) store.db.cards.removeSync(hashOf(card));
        else store.db.cards.putSync(hashOf(card), entry);
      });
    });
    expect(good(await copy.audit())).toEqual({ sound: false });
    const found = good(copy.head());
    expect(found.whole).toBe(false);
    expect(sameEntries(found.state, tally(store))).toBe(true);
    expect(store.statusOf(hashOf('card-3')).status).toBe(meanwhile);
    good(copy.beginReconciliation());
    // What a merge brings back is put in the marks' places.
    good(copy.quarantine([hashOf('card-3'), hashOf('invented'), hashOf('card-4')]));
    good(copy.merge(all));
    const mended = good(copy.adopt(newEpoch(2n), 300));
    expect(sameEntries(mended.state, whole.state)).toBe(true);
    expect(sameEntries(mended.state, tally(store))).toBe(true);
    expect(store.statusOf(hashOf('card-3')).status).toBe('revoked');
    expect(good(await copy.audit())).toEqual({ sound: true });
  });

  type Put = (card: string, entry: Buffer | undefined) => void;

  it('ends when the store is closed', async () => {
    const { store, copy } = await openCopy(storeDir());
    good(copy.apply(records(10)));
    const closing = closeStore(store);
    expect(await copy.audit()).toEqual({ ok: false, fault: 'io-error', code: 'STOPPED' });
    await closing;
  });
});

it('a copy taken over by another process speaks no more', async () => {
  const dir = storeDir();
  const first = await openCopy(dir);
  good(first.copy.apply([record(1, 'a')]));
  const second = await openCopy(dir);
  const taken = { ok: false, fault: 'taken-over' };
  expect(first.copy.head()).toEqual(taken);
  expect(first.copy.apply([record(2, 'b')])).toEqual(taken);
  expect(first.copy.merge([record(2, 'b')])).toEqual(taken);
  expect(first.copy.adopt(newEpoch(2n), 1)).toEqual(taken);
  expect(good(second.copy.head())).toMatchObject({ seq: 1, whole: true });
});
