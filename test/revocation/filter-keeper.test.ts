import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { attachFilter } from '../../src/revocation/bloom-filter.ts';
import {
  change,
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
    apply(...revocations(3_000, 'early'));
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
    const add = (first: number, count: number) =>
      store.transact((state) => {
        for (let i = first; i < first + count; i++) store.filter.add(hashOf(`bare-${i}`));
        state.revoked += count;
        return { commit: true, value: undefined };
      });
    add(0, 1_000);
    expect(store.filters.isOutgrown()).toBe(false);
    add(1_000, 100);
    expect(store.filters.isOutgrown()).toBe(true);
    expect(store.filter.currentFalsePositiveRate()).toBeGreaterThan(1e-6);
    const rebuilt = await store.filters.rebuild();
    if (!rebuilt.ok) throw new Error(rebuilt.fault);
    expect(attachFilter(rebuilt.shared).capacity).toBe(1_650);
    expect([store.filters.isOutgrown(), store.filter.capacity]).toEqual([false, 1_650]);
  });

  it('keeps a card in that was cleared by an entry without a good MAC', async () => {
    const { store, apply } = await openGateway(storeDir(), testClock());
    apply(change('a', 'suspended'));
    const forged = Buffer.from(store.db.cards.get(hashOf('a')) as Buffer);
    forged[1] = 0;
    store.db.root.transactionSync(() => {
      store.db.cards.put(hashOf('a'), forged);
    });
    const rebuilt = await store.filters.rebuild();
    expect(rebuilt.ok && store.filter.mightContain(hashOf('a'))).toBe(true);
    expect(store.statusOf(hashOf('a')).status).toBe('unreadable');
  });

  it('is given up when the store is closed, or cannot be read', async () => {
    const { store, apply } = await openGateway(storeDir(), testClock());
    apply(...revocations(2_000));
    const before = store.filter.shared;
    const rebuilding = store.filters.rebuild();
    const closing = store.close();
    expect(await rebuilding).toEqual({ ok: false, fault: 'stopped' });
    await closing;
    expect(store.filter.shared).toBe(before);
  });
});
