/** How old a copy says it is after a restart. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createLastConfirmed } from '../../../src/revocation/shared/last-confirmed.ts';
import { closeStore, openStore, START_MS, temporaryDirectory, testClock } from '../store-fixture.ts';

it('is remembered over restarts, never younger than it is', async () => {
  const dir = join(temporaryDirectory(), 'status');
  const first = await openStore(dir, testClock());
  const confirmed = createLastConfirmed(first);
  expect(confirmed.recallAgeMs(START_MS)).toBe(undefined);
  confirmed.note(START_MS);
  confirmed.note(START_MS + 4_000);
  await closeStore(first);

  // Killed: what was noted last was not written yet, so the age is overstated.
  const second = await openStore(dir, testClock());
  const again = createLastConfirmed(second);
  expect(again.recallAgeMs(START_MS + 5_000)).toBe(5_000);
  again.note(START_MS + 6_000);
  again.flush();
  await closeStore(second);

  const third = await openStore(dir, testClock());
  const last = createLastConfirmed(third);
  expect(last.recallAgeMs(START_MS + 7_000)).toBe(1_000);
  expect(last.recallAgeMs(START_MS + 5_999)).toBe(undefined);
});

it('counts for nothing once it was altered', async () => {
  const store = await openStore(join(temporaryDirectory(), 'status'), testClock());
  const confirmed = createLastConfirmed(store);
  confirmed.note(START_MS);
  const name = Buffer.from('confirmed');
  const bytes = Buffer.from(store.db.meta.get(name) as Buffer);
  bytes.writeDoubleBE(START_MS + 60_000, 0);
  store.db.root.transactionSync(() => {
    store.db.meta.putSync(name, bytes);
  });
  expect(confirmed.recallAgeMs(START_MS + 61_000)).toBe(undefined);
});
