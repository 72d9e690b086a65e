import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { StatusChange } from '../../src/card-status.ts';
import { deriveSecret } from '../../src/revocation/deployment-secret.ts';
import { checkAndBeat } from '../../src/revocation/heartbeat.ts';
import { createKeyRetirements } from '../../src/revocation/key-retirements.ts';
import { openStatusStore } from '../../src/revocation/status-store.ts';
import {
  change,
  closeStore,
  DAY_MS,
  HOUR_MS,
  hashOf,
  ISS,
  openGateway,
  openStore,
  revocations,
  SECRET,
  SMALL_FILTER,
  START_MS,
  temporaryDirectory,
  testClock,
} from './store-fixture.ts';

const storeDir = () => join(temporaryDirectory(), 'status');
const SECONDS = START_MS / 1000;

const openWith = (dir: string, secret = SECRET) =>
  openStatusStore({ dir, secret, filter: SMALL_FILTER, clock: testClock() });

describe('a restart', () => {
  it('finds everything again: entries, sequence, epoch, filter', async () => {
    const dir = storeDir();
    const clock = testClock();
    const first = await openGateway(dir, clock);
    first.apply(
      ...revocations(300),
      change('s', 'suspended'),
      change('r', 'suspended'),
      change('r', 'active'),
    );
    const before = first.changes.summary();
    await closeStore(first.store);
    const second = await openGateway(dir, clock);
    const after = second.changes.summary();
    expect(before).toMatchObject({ seq: 303, revoked: 300, suspended: 1, reinstated: 1, entries: 302 });
    // A reinstated card has no business in the filter; until the restart its bits could not be taken out.
    expect(after).toEqual({ ...before, filter: expect.objectContaining({ entries: 301 }) });
    for (let i = 0; i < 300; i++) {
      expect(second.store.filter.mightContain(hashOf(`card-${i}`))).toBe(true);
      expect(second.statusOf(`card-${i}`).status).toBe('revoked');
    }
    expect(second.statusOf('r').status).toBe('active');
    expect(second.apply(change('next', 'revoked'))).toEqual({ outcome: 'applied', seq: 304 });
  });

  it('makes the filter large enough for what the store holds', async () => {
    const dir = storeDir();
    const { store, apply } = await openGateway(dir, testClock());
    apply(...revocations(200));
    await closeStore(store);
    const again = await openStore(dir, testClock(), { capacity: 10, falsePositiveRate: 1e-3 });
    expect(again.filter.capacity).toBe(250);
  });
});

it('keeps its files to itself, and no identifier in them', async () => {
  const dir = storeDir();
  const { store, changes } = await openGateway(dir, testClock());
  changes.applyChanges({ changes: [change('synthetic-card-0815', 'revoked')], idempotencyKey: 'order-4711' });
  expect(statSync(dir).mode & 0o777).toBe(0o700);
  await closeStore(store);
  for (const file of readdirSync(dir)) {
    expect(statSync(join(dir, file)).mode & 0o777).toBe(0o600);
    const content = readFileSync(join(dir, file), 'latin1');
    for (const text of ['synthetic', '0815', 'order', '4711']) expect(content).not.toContain(text);
  }
});

describe('is not opened', () => {
  it('under another secret, and is not touched by the attempt', async () => {
    const dir = storeDir();
    const { store, apply, statusOf } = await openGateway(dir, testClock());
    apply(change('a', 'revoked'));
    const refused = await openWith(dir, deriveSecret(Buffer.alloc(32, 1)));
    expect(refused).toMatchObject({ ok: false, fault: 'secret-mismatch' });
    expect(store.check().ok).toBe(true);
    expect(statusOf('a').status).toBe('revoked');
  });

  it('when its directory holds something else, or its data file is empty', async () => {
    const dir = storeDir();
    mkdirSync(dir);
    writeFileSync(join(dir, 'notes.txt'), 'synthetic');
    expect(await openWith(dir)).toMatchObject({ ok: false, fault: 'damaged' });
    writeFileSync(join(dir, 'data.mdb'), '');
    expect(await openWith(dir)).toMatchObject({ ok: false, fault: 'damaged' });
    writeFileSync(join(dir, 'data.mdb'), Buffer.alloc(65_536, 7));
    expect(await openWith(dir)).toMatchObject({ ok: false, fault: 'damaged' });
  });

  it('of another schema version', async () => {
    const dir = storeDir();
    const store = await openStore(dir, testClock());
    const header = Buffer.from(store.db.meta.get(Buffer.from('header')) as Buffer);
    header.writeUInt32BE(3, 0);
    store.db.root.transactionSync(() => {
      store.db.meta.put(Buffer.from('header'), header);
    });
    await closeStore(store);
    expect(await openWith(dir)).toMatchObject({ ok: false, fault: 'unknown-schema' });
  });

  type Tamper = (db: Awaited<ReturnType<typeof openStore>>['db']) => void;
  it.each<[string, Tamper]>([
    ['an entry is missing', (db) => db.cards.removeSync(hashOf('card-7'))],
    [
      'an entry is under another hash',
      (db) => {
        const entry = Buffer.from(db.cards.get(hashOf('card-7')) as Buffer);
        db.cards.removeSync(hashOf('card-7'));
        db.cards.putSync(hashOf('elsewhere'), entry);
      },
    ],
    [
      'an entry is altered',
      (db) => {
        const entry = Buffer.from(db.cards.get(hashOf('card-7')) as Buffer);
        entry[1] = 0;
        db.cards.putSync(hashOf('card-7'), entry);
      },
    ],
    ['an entry is cut', (db) => db.cards.putSync(hashOf('card-7'), Buffer.alloc(43))],
    ['an entry is added', (db) => db.cards.putSync(hashOf('new'), Buffer.alloc(44))],
    [
      'a retirement is missing',
      (db) => db.retirements.removeSync([...db.retirements.getKeys({})][0] as Buffer),
    ],
    ['the state is missing', (db) => db.meta.removeSync(Buffer.from('state'))],
    [
      'the state is altered',
      (db) => {
        const state = Buffer.from(db.meta.get(Buffer.from('state')) as Buffer);
        state[20] = (state[20] as number) ^ 1;
        db.meta.putSync(Buffer.from('state'), state);
      },
    ],
    ['the header is cut', (db) => db.meta.putSync(Buffer.from('header'), Buffer.alloc(3))],
  ])('when %s', async (_, tamper) => {
    const dir = storeDir();
    const clock = testClock();
    const { store, freshness, apply } = await openGateway(dir, clock);
    apply(...revocations(20));
    createKeyRetirements({ store, freshness, clock }).retireKey(ISS, 'kid');
    store.db.root.transactionSync(() => {
      tamper(store.db);
    });
    await closeStore(store);
    expect(await openWith(dir)).toMatchObject({ ok: false, fault: 'damaged' });
  });

  it('when the word of an altered entry would keep its card out of the filter', async () => {
    const dir = storeDir();
    const { store, apply } = await openGateway(dir, testClock());
    apply(change('a', 'revoked'), change('b', 'suspended'), change('b', 'active'));
    // Swapped statuses: counts and digest still add up, which only the MAC can tell.
    store.db.root.transactionSync(() => {
      for (const [card, status] of [
        ['a', 0],
        ['b', 2],
      ] as const) {
        const entry = Buffer.from(store.db.cards.get(hashOf(card)) as Buffer);
        entry[1] = status;
        store.db.cards.put(hashOf(card), entry);
      }
    });
    await closeStore(store);
    expect(await openWith(dir)).toMatchObject({ ok: false, fault: 'damaged' });
  });
});

/** Changes `a`, and so many seconds later another card; then starts anew, the wall clock as given. */
async function restart(changes: Partial<StatusChange>[], laterSeconds: number, wallMs?: number) {
  const dir = storeDir();
  const clock = testClock();
  const first = await openGateway(dir, clock);
  for (const { status = 'revoked', ...rest } of changes) first.apply(change('a', status, rest));
  clock.advance(laterSeconds * 1000);
  first.apply(change('marks-the-time', 'revoked'));
  const { seq } = first.changes.summary() ?? {};
  await closeStore(first.store);
  if (wallMs !== undefined) clock.setWall(wallMs);
  const second = await openGateway(dir, clock);
  const logged = [...second.store.db.log.getKeys({})].length;
  return { ...second, seq, logged, purged: second.store.purged };
}

describe('a revocation or suspension never leaves', () => {
  const DAYS = 86_400;

  it.each<[string, Partial<StatusChange>[]]>([
    ['an expiry at the epoch', [{ expiresAt: 0 }]],
    ['an expiry that had passed when it was named', [{ expiresAt: SECONDS - 40 * DAYS }]],
    ['an expiry that has passed since', [{ expiresAt: SECONDS + 1 }]],
    ['several such', [{ expiresAt: 1 }, { expiresAt: SECONDS }]],
    ['no expiry', [{}]],
    ['an early expiry, suspended', [{ status: 'suspended', expiresAt: 1 }]],
    [
      'an early expiry, suspended after a reinstatement',
      [
        { status: 'suspended', expiresAt: 1 },
        { status: 'active', expiresAt: 1 },
        { status: 'suspended', expiresAt: 1 },
      ],
    ],
  ])('%s', async (_, changes) => {
    const { statusOf, purged, seq, logged, store } = await restart(changes, 4_000 * DAYS);
    expect(statusOf('a').status).toBe(changes[0]?.status ?? 'revoked');
    expect(store.filter.mightContain(hashOf('a'))).toBe(true);
    expect([purged, logged]).toEqual([0, seq]);
  });
});

describe('a reinstatement leaves', () => {
  const lifted = (...expiries: (number | undefined)[]): Partial<StatusChange>[] => [
    { status: 'suspended', ...(expiries[0] === undefined ? {} : { expiresAt: expiries[0] }) },
    ...expiries.map((expiresAt) => ({
      status: 'active' as const,
      ...(expiresAt === undefined ? {} : { expiresAt }),
    })),
  ];

  /** Whether it left; either way the card is active and the store adds up. */
  async function leaves(...call: Parameters<typeof restart>): Promise<boolean> {
    const { statusOf, changes, purged, seq, logged } = await restart(...call);
    expect(statusOf('a')).toEqual({ status: 'active', ...(purged === 1 ? {} : { sinceMs: START_MS }) });
    expect(changes.summary()).toMatchObject({ reinstated: 1 - purged, revoked: 1, seq });
    // With the last entry of a card, all that the log says of it.
    expect(logged).toBe(purged === 1 ? 1 : seq);
    expect(statusOf('marks-the-time').status).toBe('revoked');
    return purged === 1;
  }

  const day = DAY_MS / 1000;

  it('a day after its credential expired, not before', async () => {
    expect(await leaves(lifted(SECONDS), day)).toBe(false);
    expect(await leaves(lifted(SECONDS), day + 1)).toBe(true);
    expect(await leaves(lifted(SECONDS + 0.5), day + 0.25)).toBe(false);
  });

  it('not before the latest expiry named, whatever the order', async () => {
    expect(await leaves(lifted(SECONDS, SECONDS + 100), day + 1)).toBe(false);
    expect(await leaves(lifted(SECONDS + 100, SECONDS), day + 1)).toBe(false);
    expect(await leaves(lifted(SECONDS + 100, SECONDS), day + 101)).toBe(true);
  });

  it('never, if any change named no expiry', async () => {
    expect(await leaves(lifted(undefined), 400 * day)).toBe(false);
    expect(await leaves(lifted(SECONDS, undefined), 400 * day)).toBe(false);
    expect(await leaves(lifted(undefined, SECONDS), 400 * day)).toBe(false);
  });

  it('not because a clock is ahead at start', async () => {
    expect(await leaves(lifted(SECONDS), 0, START_MS + 10_000 * DAY_MS)).toBe(false);
    expect(await leaves(lifted(SECONDS), day + 1, 0)).toBe(false);
  });
});

describe('an expiry', () => {
  it('named later takes a sequence number but keeps since and why, and counts for no limit', async () => {
    const clock = testClock();
    const gateway = await openGateway(storeDir(), clock, { massChangeLimit: 1 });
    gateway.apply(change('a', 'revoked', { why: 'deceased', expiresAt: 1_000 }));
    clock.advance(1);
    expect(gateway.apply(change('a', 'revoked', { why: 'lost', expiresAt: 2_000 }))).toEqual({
      outcome: 'applied',
      seq: 2,
    });
    expect(gateway.statusOf('a')).toEqual({ status: 'revoked', sinceMs: START_MS, why: 'deceased' });
  });
});

describe('a store taken away under the process', () => {
  it.each<[string, (dir: string) => void]>([
    ['removed', (dir) => rmSync(dir, { recursive: true })],
    ['moved', (dir) => renameSync(dir, `${dir}.moved`)],
    [
      'replaced by a copy',
      (dir) => {
        cpSync(dir, `${dir}.copy`, { recursive: true });
        rmSync(dir, { recursive: true });
        renameSync(`${dir}.copy`, dir);
      },
    ],
    ['without its lock file', (dir) => rmSync(join(dir, 'lock.mdb'))],
  ])('%s: refuses changes, goes stale, and still knows what was revoked', async (_, take) => {
    const dir = storeDir();
    const clock = testClock();
    const { store, apply, statusOf, freshness, changes } = await openGateway(dir, clock);
    apply(change('a', 'revoked'));
    expect(checkAndBeat({ store, freshness, clock })).toBeUndefined();
    take(dir);
    const unavailable = { outcome: 'unavailable', cause: 'store-replaced' };
    expect(apply(change('b', 'revoked'))).toEqual(unavailable);
    expect(createKeyRetirements({ store, freshness, clock }).retireKey(ISS, 'kid')).toEqual(unavailable);
    clock.advance(5_001);
    expect(checkAndBeat({ store, freshness, clock })).toBe('store-replaced');
    expect(freshness.read()).toEqual({ state: 'stale', ageMs: 5_001, seq: 1 });
    expect(statusOf('a').status).toBe('revoked');
    expect(changes.summary()).toBeUndefined();
  });

  it('by another gateway on the same directory: the earlier one promises nothing more', async () => {
    const dir = storeDir();
    const clock = testClock();
    const first = await openGateway(dir, clock);
    first.apply(change('a', 'revoked'));
    const second = await openGateway(dir, clock);
    expect(first.apply(change('b', 'revoked'))).toEqual({ outcome: 'unavailable', cause: 'taken-over' });
    expect(checkAndBeat({ store: first.store, freshness: first.freshness, clock })).toBe('taken-over');
    expect(second.apply(change('c', 'revoked'))).toEqual({ outcome: 'applied', seq: 2 });
    expect(second.statusOf('a').status).toBe('revoked');
    expect(second.statusOf('b').status).toBe('active');
  });
});

describe('key retirements', () => {
  it('hold for good, once each, in the same sequence, across a restart', async () => {
    const dir = storeDir();
    const clock = testClock();
    const first = await openGateway(dir, clock, { massChangeLimit: 0 });
    const keys = createKeyRetirements({ ...first, clock });
    expect(keys.isRetired(ISS, 'kid')).toBe('not-retired');
    expect(keys.retireKey(ISS, 'kid')).toEqual({ outcome: 'applied', seq: 1 });
    expect(keys.retireKey(ISS, 'kid')).toEqual({ outcome: 'applied', seq: 1 });
    expect(keys.retireKey(ISS, 'other')).toEqual({ outcome: 'applied', seq: 2 });
    await closeStore(first.store);
    clock.advance(400 * 24 * HOUR_MS);
    const second = await openGateway(dir, clock);
    const again = createKeyRetirements({ ...second, clock });
    expect(again.isRetired(ISS, 'kid')).toBe('retired');
    expect(again.isRetired('https://another.example', 'kid')).toBe('not-retired');
    expect(second.changes.summary()).toMatchObject({ retiredKeys: 2 });
    // A key's kid and a card's jti may be the same text.
    expect(second.statusOf('kid')).toEqual({ status: 'active' });
  });
});
