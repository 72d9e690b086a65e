/** A worker's view of the revocation side: what its filter's "no" is worth. */
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { LIMITS } from '../../src/config.ts';
import { noteLeftOut } from '../../src/revocation/bloom-filter.ts';
import { createFreshness } from '../../src/revocation/freshness.ts';
import { createStatusChanges } from '../../src/revocation/status-changes.ts';
import { openCardStatus } from '../../src/workers/card-status.ts';
import {
  CHANGE_LIMITS,
  closeStore,
  ISS,
  openStore,
  temporaryDirectory,
  testClock,
} from '../revocation/store-fixture.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function openSource() {
  const clock = testClock();
  const store = await openStore(join(temporaryDirectory(), 'status'), clock);
  closers.push(() => closeStore(store));
  const freshness = createFreshness(clock, { staleAfterMs: 5_000, expireAfterMs: 60_000 });
  const { filter, completeness, dir, identity, secret } = store;
  const shared = {
    filter: filter.shared,
    freshness: freshness.shared,
    completeness: completeness.shared,
    supersedes: store.supersedes.shared,
    changes: store.changes.shared,
  };
  const opened = openCardStatus({ ...shared, dir, identity, secret }, clock, () => {}, undefined);
  if (!opened.ok) throw new Error(opened.error);
  closers.unshift(() => opened.source.close());
  return { clock, store, source: opened.source };
}

it("a filter made by a clock that was ahead proves of no card that it isn't revoked, until the clock is there", async () => {
  const { clock, store, source } = await openSource();
  const { filter } = store;
  const nowSeconds = clock.wallMs() / 1000;
  expect(source.leavesOutLiving()).toBe(false);
  noteLeftOut(filter, nowSeconds - LIMITS.clockSkewSeconds);
  expect(source.leavesOutLiving()).toBe(false);
  noteLeftOut(filter, nowSeconds - LIMITS.clockSkewSeconds + 1);
  expect(source.leavesOutLiving()).toBe(true);
});

it('watches whatever could make a look-up answer otherwise, and nothing else', async () => {
  const { store, source } = await openSource();
  const hashOut = new Uint8Array(16);
  const still = source.watch();
  expect(source.statusOf('iss', 'jti', hashOut)).toBe('active');
  expect(source.statusAgain(hashOut)).toBe('active');
  const name = { iss: 'iss', jti: 'jti', sub: 'sub', iat: 0 };
  expect(source.hashesOf(name)).toEqual({ card: Buffer.from(hashOut), holder: undefined });
  expect(still()).toBe(false);
  const happenings = {
    // Also of a card that the filter knew before: then a transaction alone tells.
    'a transaction': () => void store.transact(() => ({ commit: true, value: undefined })),
    'a bit in the filter': () => store.filter.add(hashOut),
    'the same bit again': () => store.filter.add(hashOut),
    // As an audit finds it, without any change.
    'supersedes that nobody knew of': () => store.supersedes.raise(),
    'a copy that is not whole any more': () => store.completeness.set(false),
    'another filter': () => source.setFilter(store.filter.shared),
  };
  for (const [what, happen] of Object.entries(happenings)) {
    const moved = source.watch();
    expect(moved(), what).toBe(false);
    happen();
    expect(moved(), what).toBe(true);
  }
  // In the filter, and the copy that would clear it is not whole.
  expect(source.statusAgain(hashOut)).toBe('unreadable');
});

it('asks for holders from the first supersede on, and settles a card by when it was issued', async () => {
  const { store, source } = await openSource();
  const { supersedes } = source;
  const hashOut = new Uint8Array(16);
  const name = { iss: ISS, jti: 'jti', sub: 'sub', iat: 0 };
  expect(supersedes.areInForce()).toBe(false);
  const moved = source.watch();
  const freshness = createFreshness(testClock(), { staleAfterMs: 5_000, expireAfterMs: 60_000 });
  const changes = createStatusChanges({ store, freshness, clock: testClock(), ...CHANGE_LIMITS });
  const supersede = (issuedBefore: number) =>
    changes.applyChanges({ changes: [{ iss: ISS, sub: 'sub', issuedBefore }] }).outcome;
  expect(supersede(10.5)).toBe('applied');
  expect([supersedes.areInForce(), moved()]).toEqual([true, true]);
  const judge = (iat: number, sub = 'sub', iss = ISS) => supersedes.isSuperseded(iss, sub, iat, hashOut);
  expect([0, 10.25, 10.5, 11, Number.NaN].map((iat) => judge(iat))).toEqual([true, true, false, false, true]);
  expect([judge(0, 'sub', 'iss'), judge(0, 'another'), judge(0)]).toEqual([false, false, true]);
  expect(source.hashesOf(name).holder).toEqual(Buffer.from(hashOut));
  expect(source.hashesOf({ ...name, sub: undefined }).holder).toBeUndefined();
  expect([10, 10.5].map((iat) => supersedes.supersededAgain(hashOut, iat))).toEqual([true, false]);
  // What an incomplete copy holds against a credential stands; what it does not, nobody can tell.
  store.completeness.set(false);
  expect([10, 10.5].map((iat) => judge(iat))).toEqual([true, 'unreadable']);
  store.completeness.set(true);
  expect(supersede(0)).toBe('applied');
  expect(judge(10.25)).toBe(true);
});
