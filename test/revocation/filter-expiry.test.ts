/** Cards leave the filter, never the store, when the expiry named for them lies a grace period back. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { attachFilter } from '../../src/revocation/bloom-filter.ts';
import { holderHash } from '../../src/revocation/card-hash.ts';
import { leaveOutBefore, mayBeLeftOut, mayBeLeftOutBefore } from '../../src/revocation/filter-horizon.ts';
import { saveFilter } from '../../src/revocation/filter-saving.ts';
import { encodeEntry, type StatusEntry } from '../../src/revocation/status-entry.ts';
import { auditStore } from '../../src/revocation/store-audit.ts';
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

const SECONDS = START_MS / 1000;
const GRACE_MS = 30 * DAY_MS;
/** What is added to any grace. */
const MARGIN_MS = HOUR_MS;
const storeDir = () => join(temporaryDirectory(), 'status');
const expiring = (expiresAt: number) =>
  revocations(500, 'old').map((revocation) => ({ ...revocation, expiresAt }));

/** Cards with every kind of claim, revoked or suspended now; those called `old` expire in an hour. */
async function claimedStore() {
  const dir = storeDir();
  const clock = testClock();
  const gateway = await openGateway(dir, clock, {}, GRACE_MS);
  gateway.apply(
    ...expiring(SECONDS + 3_600),
    change('old-suspended', 'suspended', { expiresAt: SECONDS + 3_600 }),
    change('past', 'revoked', { expiresAt: SECONDS - 3_600 }),
    change('at-once', 'revoked', { expiresAt: SECONDS }),
    change('epoch', 'revoked', { expiresAt: 0 }),
    change('unnamed', 'revoked'),
    change('later', 'revoked', { expiresAt: SECONDS + 10 * 365 * 86_400 }),
  );
  return { ...gateway, dir, clock };
}

const STAY = ['past', 'at-once', 'epoch', 'unnamed', 'later'];
const LEAVE = ['old-0', 'old-499', 'old-suspended'];

describe('a card whose named expiry lies a grace period back', () => {
  it('leaves the filter at a rebuild, not before, and stays in the store', async () => {
    const { store, clock, apply, statusOf } = await claimedStore();
    const inFilter = async () => {
      const rebuilt = await store.filters.rebuild();
      if (!rebuilt.ok) throw new Error(rebuilt.fault);
      rebuilt.retire();
      return LEAVE.map((jti) => store.filter.mightContain(hashOf(jti)));
    };
    clock.advance(HOUR_MS + GRACE_MS + MARGIN_MS);
    apply(change('marks-the-time', 'revoked'));
    expect(await store.filters.surplus()).toBe(0);
    expect(await inFilter()).toEqual([true, true, true]);
    const fill = store.filter.fill();
    clock.advance(1_000);
    apply(change('marks-the-time-again', 'revoked'));
    expect(await store.filters.surplus()).toBe(501);
    expect(await inFilter()).toEqual([false, false, false]);
    expect([store.filter.entries(), await store.filters.surplus()]).toEqual([STAY.length + 2, 0]);
    expect(store.filter.fill()).toBeLessThan(fill / 20);
    expect(store.filter.leftOutBefore()).toBe(SECONDS + 3_601);
    for (const jti of STAY) expect(store.filter.mightContain(hashOf(jti))).toBe(true);
    for (const jti of LEAVE) expect(['revoked', 'suspended']).toContain(statusOf(jti).status);
  });

  it('leaves it at a start by survey, which an audit takes for whole', async () => {
    const { store, clock, apply, dir } = await claimedStore();
    clock.advance(60 * DAY_MS);
    apply(change('marks-the-time', 'revoked'));
    await closeStore(store);
    const again = await openStore(dir, clock, SMALL_FILTER, GRACE_MS);
    expect(again.start.by).toBe('survey');
    for (const jti of STAY) expect(again.filter.mightContain(hashOf(jti))).toBe(true);
    for (const jti of LEAVE) expect(again.filter.mightContain(hashOf(jti))).toBe(false);
    const audited = await auditStore(again);
    expect(audited).toMatchObject({ ok: true, value: { sound: true, missingInFilter: 0 } });
    for (const jti of LEAVE) expect(again.filter.mightContain(hashOf(jti))).toBe(false);
    for (const jti of LEAVE) expect(['revoked', 'suspended']).toContain(again.statusOf(hashOf(jti)).status);
  });

  it('is not left out on the word of a clock that is ahead, nor where that is never wanted', async () => {
    const { store, clock, dir } = await claimedStore();
    clock.setWall(START_MS + 1_000 * DAY_MS);
    expect(await store.filters.rebuild()).toMatchObject({ ok: true });
    for (const jti of LEAVE) expect(store.filter.mightContain(hashOf(jti))).toBe(true);
    await closeStore(store);
    const again = await openGateway(dir, clock, {}, GRACE_MS);
    for (const jti of LEAVE) expect(again.store.filter.mightContain(hashOf(jti))).toBe(true);
    again.apply(change('marks-the-time', 'revoked'));
    await closeStore(again.store);
    const never = await openStore(dir, clock);
    for (const jti of LEAVE) expect(never.filter.mightContain(hashOf(jti))).toBe(true);
  });

  it('comes back when it is revoked again with a later expiry, or with none', async () => {
    const { store, clock, apply } = await claimedStore();
    clock.advance(60 * DAY_MS);
    apply(change('marks-the-time', 'revoked'));
    await store.filters.rebuild();
    const later = clock.wallMs() / 1000 + 86_400;
    apply(change('old-0', 'revoked', { expiresAt: later }), change('old-1', 'revoked'));
    for (const attempt of ['at once', 'rebuilt']) {
      const found = ['old-0', 'old-1', 'old-2'].map((jti) => store.filter.mightContain(hashOf(jti)));
      expect([attempt, ...found]).toEqual([attempt, true, true, false]);
      await store.filters.rebuild();
    }
  });

  it('stays when its entry was altered', async () => {
    const { store, clock, apply } = await claimedStore();
    clock.advance(60 * DAY_MS);
    apply(change('marks-the-time', 'revoked'));
    const entry = Buffer.from(store.db.cards.get(hashOf('unnamed')) as Buffer);
    entry.writeDoubleBE(SECONDS + 1, 12);
    expect(mayBeLeftOut(SECRET, hashOf('unnamed'), entry, SECONDS + 86_400)).toBe(false);
    store.db.root.transactionSync(() => {
      store.db.cards.putSync(hashOf('unnamed'), entry);
    });
    expect(await store.filters.rebuild()).toEqual({ ok: false, fault: 'unsound' });
    expect(store.filter.mightContain(hashOf('unnamed'))).toBe(true);
  });
});

describe('a supersede, whose expiry is kept by the day', () => {
  /** Whether the filter still knows the holder when everything that was named has long passed. */
  async function staysFor(
    ...named: readonly (readonly [afterMs: number, issuedBefore: number, expiresAt: number])[]
  ) {
    const clock = testClock();
    const { store, changes, apply } = await openGateway(storeDir(), clock, {}, GRACE_MS);
    for (const [afterMs, issuedBefore, expiresAt] of named) {
      clock.setWall(START_MS + afterMs);
      const supersede = { iss: ISS, sub: 'holder', issuedBefore, expiresAt: SECONDS + expiresAt };
      expect(changes.applyChanges({ changes: [supersede] }).outcome).toBe('applied');
    }
    clock.advance(60 * DAY_MS);
    apply(change('marks-the-time', 'revoked'));
    expect(await store.filters.rebuild()).toMatchObject({ ok: true });
    const hash = holderHash(SECRET.cardHashKey, ISS, 'holder');
    // Nothing that is held ever leaves the store.
    expect(store.supersedeOf(hash)).toMatchObject({ status: 'superseded' });
    expect(await auditStore(store)).toMatchObject({ value: { sound: true, missingInFilter: 0 } });
    return store.filter.mightContain(hash);
  }

  it.each([
    ['of an hour ago', -3_600],
    ['of this very moment', 0],
    ['at the epoch', -SECONDS],
  ])('stays for an expiry %s, which was not to come, as a revoked card does', async (_what, expiresAt) => {
    expect(await staysFor([0, 10, expiresAt])).toBe(true);
    // Named again later, on the same day or another, it was not to come either.
    for (const afterMs of [HOUR_MS, 2 * DAY_MS]) {
      expect(await staysFor([0, 10, expiresAt], [afterMs, 10, expiresAt])).toBe(true);
    }
  });

  it('leaves for one that was to come, however little', async () => {
    expect(await staysFor([0, 10, 0.001])).toBe(false);
    expect(await staysFor([0, 10, -1], [HOUR_MS, 10, 7_200])).toBe(false);
    expect(await staysFor([0, 10, 3_600], [2 * HOUR_MS, 10, 0])).toBe(false);
  });

  it('stays where a later one began when what was named for the first may have passed', async () => {
    expect(await staysFor([0, 10, 3_600], [2 * HOUR_MS, 11, 3_600])).toBe(true);
    expect(await staysFor([0, 10, 3_600], [2 * DAY_MS, 11, 3_600])).toBe(true);
    expect(await staysFor([0, 10, 3_600], [2 * HOUR_MS, 11, 3 * 3_600])).toBe(false);
    expect(await staysFor([0, 10, 3 * 86_400], [2 * HOUR_MS, 11, 3_600])).toBe(false);
  });

  it('is the same call when it is repeated after the expiry that it names', async () => {
    const clock = testClock();
    const { changes } = await openGateway(storeDir(), clock);
    const supersede = { iss: ISS, sub: 'holder', issuedBefore: 10, expiresAt: SECONDS + 1 };
    const call = () => changes.applyChanges({ changes: [supersede], idempotencyKey: 'key' });
    const first = call();
    clock.advance(HOUR_MS);
    expect([first.outcome, call()]).toEqual(['applied', first]);
  });
});

describe('a filter that leaves cards out, in its file', () => {
  /** Saved with cards left out, and the file's store closed. */
  async function savedWithout() {
    const { store, clock, apply, dir } = await claimedStore();
    clock.advance(60 * DAY_MS);
    apply(change('marks-the-time', 'revoked'));
    await store.filters.rebuild();
    expect(await saveFilter(store, 0)).toEqual({ ok: true, value: 'saved' });
    apply(change('since', 'revoked'));
    await closeStore(store);
    return { clock, dir };
  }

  it('serves a start, and the audit beside it', async () => {
    const { clock, dir } = await savedWithout();
    clock.advance(DAY_MS);
    const store = await openStore(dir, clock, SMALL_FILTER, GRACE_MS);
    expect(store.start).toEqual({ by: 'file', replayed: 1 });
    for (const jti of LEAVE) expect(store.filter.mightContain(hashOf(jti))).toBe(false);
    for (const jti of [...STAY, 'since']) expect(store.filter.mightContain(hashOf(jti))).toBe(true);
    expect(await auditStore(store)).toMatchObject({ value: { sound: true, missingInFilter: 0 } });
    const shared = attachFilter(store.filter.shared);
    expect(shared.leftOutBefore()).toBe(store.filter.leftOutBefore());
  });

  it.each([
    ['a longer grace', GRACE_MS + 40 * DAY_MS, 0],
    ['none at all', Number.POSITIVE_INFINITY, 0],
    ['a clock that was set back', GRACE_MS, -59 * DAY_MS],
  ])('is of no use to a start with %s, which has every card', async (_, graceMs, setBackMs) => {
    const { clock, dir } = await savedWithout();
    clock.setWall(clock.wallMs() + setBackMs);
    const store = await openStore(dir, clock, SMALL_FILTER, graceMs);
    expect(store.start).toEqual({ by: 'survey', fileRefused: 'lacks-expired' });
    for (const jti of [...LEAVE, ...STAY]) expect(store.filter.mightContain(hashOf(jti))).toBe(true);
  });

  it('lets an audit find what it should not lack', async () => {
    const { clock, dir } = await savedWithout();
    const store = await openStore(dir, clock, SMALL_FILTER, GRACE_MS);
    const { entryMacKey } = SECRET;
    const lost: StatusEntry = {
      status: 'revoked',
      why: undefined,
      sinceMs: START_MS,
      expiresAt: store.filter.leftOutBefore(),
      seq: 1,
      extendsOnly: false,
    };
    store.db.root.transactionSync(() => {
      store.db.cards.putSync(hashOf('lost'), encodeEntry(entryMacKey, hashOf('lost'), lost));
    });
    expect(await auditStore(store)).toMatchObject({ value: { missingInFilter: 1 } });
    expect(store.filter.mightContain(hashOf('lost'))).toBe(true);
  });
});

it('the instant before which a card may be left out follows the earlier of the clock and the last change', () => {
  const at = (graceMs: number, wallMs: number, changeMs: number) => leaveOutBefore(graceMs, wallMs, changeMs);
  expect(at(DAY_MS, START_MS, START_MS)).toBe(SECONDS - 86_400 - 3_600);
  expect(at(DAY_MS, START_MS, START_MS + DAY_MS)).toBe(SECONDS - 86_400 - 3_600);
  expect(at(0, START_MS + DAY_MS, START_MS)).toBe(SECONDS - 3_600);
  expect(mayBeLeftOutBefore(DAY_MS, START_MS)).toBe(SECONDS - 86_400);
  expect(mayBeLeftOutBefore(Number.POSITIVE_INFINITY, START_MS)).toBe(0);
  expect([at(Number.POSITIVE_INFINITY, START_MS, START_MS), at(DAY_MS, START_MS, 0)]).toEqual([0, 0]);
});
