import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { attachFilter, createFilter } from '../../src/revocation/bloom-filter.ts';
import { createFreshness } from '../../src/revocation/freshness.ts';
import { createStatusChanges } from '../../src/revocation/status-changes.ts';
import {
  CHANGE_LIMITS,
  change,
  closeStore,
  FRESHNESS_LIMITS,
  hashOf,
  openGateway,
  openStore,
  revocations,
  temporaryDirectory,
  testClock,
} from './store-fixture.ts';

const storeDir = () => join(temporaryDirectory(), 'status');

describe('a rebuilt filter', () => {
  it('holds what is held against cards, and no longer those that were cleared', async () => {
    const { store, apply } = await openGateway(storeDir(), testClock());
    apply(...revocations(500), change('suspended', 'suspended'), change('lifted', 'suspended'));
    apply(change('lifted', 'active'), change('card-3', 'revoked', { expiresAt: 1 }));
    const before = store.filter.shared;
    const rebuilt = await store.filters.rebuild();
    if (!rebuilt.ok) throw new Error(rebuilt.fault);
    expect(store.filter.shared).toBe(rebuilt.shared);
    expect(rebuilt.shared).not.toBe(before);
    const inForce = attachFilter(rebuilt.shared);
    for (const { jti } of revocations(500)) expect(inForce.mightContain(hashOf(jti))).toBe(true);
    expect(inForce.mightContain(hashOf('suspended'))).toBe(true);
    expect([
      attachFilter(before).mightContain(hashOf('lifted')),
      inForce.mightContain(hashOf('lifted')),
    ]).toEqual([true, false]);
    expect(inForce.entries()).toBe(501);
  });

  it('learns of every change made while it is built, as does the old one until it is retired', async () => {
    const { store, apply } = await openGateway(storeDir(), testClock());
    apply(...revocations(8_000, 'early'));
    const old = attachFilter(store.filter.shared);
    const rebuilding = store.filters.rebuild();
    expect(await store.filters.rebuild()).toEqual({ ok: false, fault: 'busy' });
    const meanwhile: string[] = [];
    let done = false;
    void rebuilding.finally(() => {
      done = true;
    });
    for (let i = 0; !done && i < 1_000; i++) {
      apply(change(`meanwhile-${i}`, 'revoked'));
      meanwhile.push(`meanwhile-${i}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const rebuilt = await rebuilding;
    if (!rebuilt.ok) throw new Error(rebuilt.fault);
    const inForce = attachFilter(rebuilt.shared);
    for (const card of meanwhile) expect(inForce.mightContain(hashOf(card))).toBe(true);
    apply(change('before-retirement', 'revoked'));
    rebuilt.retire();
    apply(change('after-retirement', 'revoked'));
    const has = (card: string) => [old.mightContain(hashOf(card)), inForce.mightContain(hashOf(card))];
    expect([has('before-retirement'), has('after-retirement')]).toEqual([
      [true, true],
      [false, true],
    ]);
    expect(meanwhile.length).toBeGreaterThan(0);
  });

  it('grows when the one before holds more than it was made for', async () => {
    const store = await openStore(storeDir(), testClock(), { capacity: 1_000, falsePositiveRate: 1e-6 });
    const changes = createStatusChanges({
      store,
      freshness: createFreshness(testClock(), FRESHNESS_LIMITS),
      clock: testClock(),
      ...CHANGE_LIMITS,
    });
    changes.applyChanges({ changes: revocations(1_000, 'first') });
    expect(store.filters.isOutgrown()).toBe(false);
    changes.applyChanges({ changes: revocations(100, 'more') });
    expect(store.filters.isOutgrown()).toBe(true);
    expect(store.filter.currentFalsePositiveRate()).toBeGreaterThan(1e-6);
    const rebuilt = await store.filters.rebuild();
    if (!rebuilt.ok) throw new Error(rebuilt.fault);
    expect(attachFilter(rebuilt.shared).capacity).toBe(1_650);
    expect([store.filters.isOutgrown(), store.filter.capacity]).toEqual([false, 1_650]);
  });

  it('is not made from a copy that lost or altered an entry, nor while it is not known to be complete', async () => {
    const { store, apply } = await openGateway(storeDir(), testClock());
    apply(...revocations(10), change('a', 'suspended'));
    store.completeness.set(false);
    expect(await store.filters.rebuild()).toEqual({ ok: false, fault: 'incomplete' });
    store.completeness.set(true);
    const entry = Buffer.from(store.db.cards.get(hashOf('a')) as Buffer);
    const put = (bytes: Buffer | undefined) =>
      store.db.root.transactionSync(() => {
        if (bytes === undefined) store.db.cards.removeSync(hashOf('a'));
        else store.db.cards.putSync(hashOf('a'), bytes);
      });
    const altered = Buffer.from(entry);
    altered[1] = 0;
    for (const bytes of [undefined, altered]) {
      put(bytes);
      expect(await store.filters.rebuild()).toEqual({ ok: false, fault: 'unsound' });
      expect(store.filter.mightContain(hashOf('a'))).toBe(true);
    }
    put(entry);
    expect(await store.filters.rebuild()).toMatchObject({ ok: true });
  });

  it('unites a given filter with a copy that is still catching up, and what comes in meanwhile', async () => {
    const { store, apply } = await openGateway(storeDir(), testClock());
    apply(...revocations(1_000, 'own'));
    store.completeness.set(false);
    const base = createFilter({ capacity: 20_000, falsePositiveRate: 1e-6 });
    for (let i = 0; i < 1_000; i++) base.add(hashOf(`snapshot-${i}`));
    const rebuilding = store.filters.rebuild(base);
    apply(change('meanwhile', 'revoked'));
    const rebuilt = await rebuilding;
    expect(rebuilt.ok && rebuilt.shared).toBe(base.shared);
    const cards = [...Array(1_000).keys()].flatMap((i) => [`own-${i}`, `snapshot-${i}`]);
    for (const card of [...cards, 'meanwhile']) expect(store.filter.mightContain(hashOf(card))).toBe(true);
  });

  it('is given up when the store is closed', async () => {
    const { store, apply } = await openGateway(storeDir(), testClock());
    apply(...revocations(10));
    const before = store.filter.shared;
    const closing = closeStore(store);
    expect(await store.filters.rebuild()).toEqual({ ok: false, fault: 'stopped' });
    await closing;
    expect(store.filter.shared).toBe(before);
  });
});
