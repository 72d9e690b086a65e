import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startStoreCare } from '../../src/control/store-care.ts';
import { attachFilter } from '../../src/revocation/bloom-filter.ts';
import {
  change,
  DAY_MS,
  hashOf,
  openGateway,
  revocations,
  START_MS,
  temporaryDirectory,
  testClock,
} from '../revocation/store-fixture.ts';
import { until } from '../support/call.ts';

const NEVER_MS = 2 ** 30;
const NO_CHECKS = {
  growthCheckMs: NEVER_MS,
  firstExpiryCheckMs: NEVER_MS,
  expiryCheckMs: NEVER_MS,
  takenDeadlineMs: 30_000,
};
const GRACE_MS = 30 * DAY_MS;

/** A store whose `old` cards, so many, expired sixty days ago, and 3,000 others; its filter still knows all. */
async function agedStore(old: number) {
  const clock = testClock();
  const dir = join(temporaryDirectory(), 'status');
  const gateway = await openGateway(dir, clock, { massChangeLimit: 1_000_000 }, GRACE_MS);
  const expiresAt = START_MS / 1000 + 3_600;
  gateway.apply(...revocations(old, 'old').map((revocation) => ({ ...revocation, expiresAt })));
  gateway.apply(...revocations(3_000, 'young'));
  clock.advance(60 * DAY_MS);
  gateway.apply(change('marks-the-time', 'revoked'));
  return gateway;
}

it('a check rids the filter of what has expired where that is worth it, and hands the new one to workers', async () => {
  const { store, apply } = await agedStore(1_500);
  const handed: SharedArrayBuffer[] = [];
  const timings = { ...NO_CHECKS, firstExpiryCheckMs: 5, expiryCheckMs: 20 };
  const care = startStoreCare(store, () => {}, timings);
  const before = store.filter.shared;
  care.handFilterBy(async (shared) => void handed.push(shared));
  await until(async () => handed.length > 0);
  expect(handed[0]).toBe(store.filter.shared);
  expect(store.filter.shared).not.toBe(before);
  expect(store.filter.entries()).toBe(3_001);
  expect(store.filter.mightContain(hashOf('young-2999'))).toBe(true);
  apply(change('afterwards', 'revoked'));
  // Further checks find nothing to do.
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect([handed.length, store.filter.mightContain(hashOf('afterwards'))]).toEqual([1, true]);
  await care.stop(10_000);
});

it('a check leaves a filter alone that little of has expired; a command does not', async () => {
  const { store } = await agedStore(500);
  const checks = { ...NO_CHECKS, firstExpiryCheckMs: 5, expiryCheckMs: 10 };
  const care = startStoreCare(store, () => {}, checks);
  expect(await care.rebuildFilter()).toEqual({ ok: false, fault: 'not-serving' });
  const handed: SharedArrayBuffer[] = [];
  care.handFilterBy(async (shared) => void handed.push(shared));
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect([handed.length, store.filter.entries()]).toEqual([0, 3_501]);
  const rebuilt = await care.rebuildFilter();
  expect(rebuilt).toMatchObject({ ok: true, before: { entries: 3_501 }, after: { entries: 3_001 } });
  store.completeness.set(false);
  expect(await care.rebuildFilter()).toEqual({ ok: false, fault: 'incomplete' });
  await care.stop(10_000);
});

it('a rebuild does not wait for ever for a worker, and what that still reads stays true until it has gone on', async () => {
  const { store, apply } = await agedStore(1_500);
  const care = startStoreCare(store, () => {}, { ...NO_CHECKS, takenDeadlineMs: 50 });
  const old = attachFilter(store.filter.shared);
  let take = (): void => {};
  const taken = new Promise<void>((resolve) => {
    take = resolve;
  });
  care.handFilterBy(() => taken);
  expect(await care.rebuildFilter()).toEqual({ ok: false, fault: 'not-taken' });
  expect(store.filter.shared).not.toBe(old.shared);
  // There are never more than two filters.
  expect(await care.rebuildFilter()).toEqual({ ok: false, fault: 'busy' });
  apply(change('meanwhile', 'revoked'));
  expect([old, store.filter].map((filter) => filter.mightContain(hashOf('meanwhile')))).toEqual([true, true]);
  take();
  await taken;
  await new Promise(setImmediate);
  apply(change('afterwards', 'revoked'));
  expect([old, store.filter].map((filter) => filter.mightContain(hashOf('afterwards')))).toEqual([
    false,
    true,
  ]);
  expect(await care.rebuildFilter()).toMatchObject({ ok: true });
  await care.stop(10_000);
});
