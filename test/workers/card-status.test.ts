/** A worker's view of the revocation side: what its filter's "no" is worth. */
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { LIMITS } from '../../src/config.ts';
import { noteLeftOut } from '../../src/revocation/bloom-filter.ts';
import { createFreshness } from '../../src/revocation/freshness.ts';
import { openCardStatus } from '../../src/workers/card-status.ts';
import { closeStore, openStore, temporaryDirectory, testClock } from '../revocation/store-fixture.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

it("a filter made by a clock that was ahead proves of no card that it isn't revoked, until the clock is there", async () => {
  const clock = testClock();
  const store = await openStore(join(temporaryDirectory(), 'status'), clock);
  closers.push(() => closeStore(store));
  const freshness = createFreshness(clock, { staleAfterMs: 5_000, expireAfterMs: 60_000 });
  const { filter, completeness, dir, identity, secret } = store;
  const shared = {
    filter: filter.shared,
    freshness: freshness.shared,
    completeness: completeness.shared,
    changes: store.changes.shared,
  };
  const opened = openCardStatus({ ...shared, dir, identity, secret }, clock, () => {}, undefined);
  if (!opened.ok) throw new Error(opened.error);
  closers.unshift(() => opened.source.close());
  const nowSeconds = clock.wallMs() / 1000;
  expect(opened.source.leavesOutLiving()).toBe(false);
  noteLeftOut(filter, nowSeconds - LIMITS.clockSkewSeconds);
  expect(opened.source.leavesOutLiving()).toBe(false);
  noteLeftOut(filter, nowSeconds - LIMITS.clockSkewSeconds + 1);
  expect(opened.source.leavesOutLiving()).toBe(true);
});
