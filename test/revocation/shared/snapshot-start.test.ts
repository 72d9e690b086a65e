/** A gateway without a copy starts by another's filter: real Redis, real stores, a real replicator. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../../src/clock.ts';
import { noteLeftOut } from '../../../src/revocation/bloom-filter.ts';
import { holderHash } from '../../../src/revocation/card-hash.ts';
import { createFreshness } from '../../../src/revocation/freshness.ts';
import { createChangeWindow } from '../../../src/revocation/mass-change-limit.ts';
import { createAdmission, type SharedAdmission } from '../../../src/revocation/shared/admission.ts';
import { encodeFilterSnapshot, type WantedFilter } from '../../../src/revocation/shared/filter-snapshot.ts';
import { createLmdbCopy } from '../../../src/revocation/shared/lmdb-copy.ts';
import { createReplicator } from '../../../src/revocation/shared/replicator.ts';
import { runReplicator } from '../../../src/revocation/shared/replicator-runner.ts';
import type { SharedLog } from '../../../src/revocation/shared/shared-log.ts';
import { type SnapshotStartEnd, startFromSnapshot } from '../../../src/revocation/shared/snapshot-start.ts';
import type { StatusStore } from '../../../src/revocation/status-store.ts';
import { key } from '../../support/deployment.ts';
import { type RedisServer, startRedis, until } from '../../support/redis.ts';
import { openLogOn } from '../../support/redis-log.ts';
import {
  change,
  FRESHNESS_LIMITS,
  hashOf,
  ISS,
  openStore,
  SECRET,
  SMALL_FILTER,
  temporaryDirectory,
} from '../store-fixture.ts';
import { keyHashOf } from './synthetic-log.ts';

const SETTLE_MS = 100;
let redis: RedisServer;
let first: Awaited<ReturnType<typeof replicated>>;
let ending: AbortController;
const logs: SharedLog[] = [];

function openLog(): SharedLog {
  const log = openLogOn(redis.port, SECRET);
  logs.push(log);
  return log;
}

/** A store with its replicator, run until the end of the test. */
async function replicated(mayClear = () => true) {
  const store = await openStore(join(temporaryDirectory(), 'status'), systemClock);
  const copy = createLmdbCopy({ store, mayClear });
  const log = openLog();
  const freshness = createFreshness(systemClock, FRESHNESS_LIMITS);
  const common = { log, copy, clock: systemClock, random: Math.random };
  const replicator = createReplicator({
    ...common,
    freshness,
    macKey: SECRET.entryMacKey,
    randomBytes,
    onEvent: () => {},
    onApplied: () => {},
    settings: { settleMs: SETTLE_MS },
  });
  const admission: SharedAdmission = createAdmission({
    ...common,
    replicator,
    secret: SECRET,
    window: createChangeWindow(systemClock, 1_000),
    sleep,
    massChangeLimit: 1_000,
  });
  const run = () =>
    void runReplicator(replicator, ending.signal, (error) => {
      throw error;
    });
  return { store, copy, log, freshness, replicator, admission, run };
}

beforeEach(async () => {
  redis = await startRedis();
  ending = new AbortController();
  first = await replicated();
  first.run();
  await until(async () => first.freshness.read().state === 'fresh');
  await revoke('before');
  expect((await first.admission.retireKey(ISS, 'retired')).outcome).toBe('applied');
  await first.admission.applyChanges({ changes: [change('lent', 'suspended')] });
});

afterEach(async () => {
  ending.abort();
  for (const log of logs.splice(0)) log.close();
  await sleep(50);
  await redis.stop();
});

async function revoke(jti: string): Promise<void> {
  const outcome = await first.admission.applyChanges({ changes: [change(jti, 'revoked')] });
  expect(outcome.outcome).toBe('applied');
}

/** As the gateway publishes it: with the retired keys, as of the store's head. */
async function publish(): Promise<void> {
  const { store, log } = first;
  const head = store.check();
  if (!head.ok) throw new Error(head.fault);
  for (const hash of store.db.retirements.getKeys({})) store.filter.add(hash);
  const position = { epoch: Buffer.from(store.epoch, 'hex'), seq: head.value.seq };
  const published = await log.publishFilter(await encodeFilterSnapshot(SECRET, store.filter, position));
  expect(published.ok).toBe(true);
}

async function begin(wanted: WantedFilter = SMALL_FILTER) {
  let over = false;
  const gateway = await replicated(() => over);
  const { store, copy, log, freshness, replicator } = gateway;
  let retirementsAsked = 0;
  const end: Promise<SnapshotStartEnd> = startFromSnapshot({
    log,
    store,
    copy,
    freshness,
    clock: systemClock,
    wanted,
    settleMs: SETTLE_MS,
    pollMs: 20,
    sleep: (ms) => sleep(ms),
    signal: ending.signal,
    enforceFilter: async (base) => {
      const rebuilt = await store.filters.rebuild(base);
      if (rebuilt.ok) rebuilt.retire();
      return rebuilt.ok;
    },
    enforceRetirements: async () => retirementsAsked++,
    isFollowing: () => replicator.status().state === 'following',
  }).then((why) => {
    over = true;
    return why;
  });
  return { ...gateway, end, retirementsAsked: () => retirementsAsked };
}

it.each([
  ['before the snapshot', 'since'],
  ['since the snapshot', 'before'],
])('asks for holders before it is fresh, where one was superseded %s', async (when, other) => {
  const supersede = (sub: string) =>
    first.admission.applyChanges({ changes: [{ iss: ISS, sub, issuedBefore: 10.5 }] });
  if (when === 'before the snapshot') expect((await supersede('holder')).outcome).toBe('applied');
  await publish();
  if (other === 'before') expect((await supersede('holder')).outcome).toBe('applied');
  const gateway = await begin();
  const seen: boolean[] = [];
  await until(async () => {
    // In this order: what makes it fresh comes after the flag.
    const { state } = gateway.freshness.read();
    if (state === 'fresh') seen.push(gateway.store.supersedes.isRaised());
    return seen.length > 0;
  });
  expect(seen).toEqual([true]);
  const hash = holderHash(SECRET.cardHashKey, ISS, 'holder');
  expect(gateway.store.filter.mightContain(hash)).toBe(true);
  // The copy is not read yet: the log can prove it, this gateway cannot tell.
  expect(gateway.store.supersedeOf(hash)).toEqual({ status: 'unreadable' });
  gateway.run();
  expect(await gateway.end).toBe('copy-whole');
  expect(gateway.store.supersedeOf(hash)).toMatchObject({ issuedBefore: 10.5 });
});

it('takes no snapshot that lacks what it keeps itself, and takes one that lacks no more', async () => {
  noteLeftOut(first.store.filter, 1_790_000_000);
  await publish();
  const longer = await begin({ ...SMALL_FILTER, leftOutBefore: 1_789_999_999 });
  expect(await longer.end).toBe('no-snapshot');
  expect(longer.store.filter.leftOutBefore()).toBe(0);
  const same = await begin({ ...SMALL_FILTER, leftOutBefore: 1_790_000_001 });
  await until(async () => same.freshness.read().state === 'fresh');
  expect([same.store.filter.leftOutBefore(), answer(same.store, 'before')]).toEqual([
    1_790_000_000,
    'unreadable',
  ]);
});

/** As a worker answers. */
function answer(store: StatusStore, jti: string): string {
  return store.filter.mightContain(hashOf(jti)) ? store.statusOf(hashOf(jti)).status : 'active';
}

it('is fresh by the filter and the records since, clears no card that they know, until its copy is whole', async () => {
  await publish();
  await revoke('since');
  const second = await begin();
  await until(async () => second.freshness.read().state === 'fresh');
  const { store } = second;
  expect(['unheard-of', 'before', 'since', 'lent'].map((jti) => answer(store, jti))).toEqual([
    'active',
    'unreadable',
    'unreadable',
    'unreadable',
  ]);
  expect(store.filter.mightContain(keyHashOf('retired'))).toBe(true);
  await revoke('later');
  await until(async () => answer(store, 'later') === 'unreadable');
  const asked = second.retirementsAsked();
  await first.admission.retireKey(ISS, 'retired later');
  await until(async () => second.retirementsAsked() > asked);
  expect(store.filter.mightContain(keyHashOf('retired later'))).toBe(true);

  second.run();
  const answers = new Set<string>();
  const watching = setInterval(() => answers.add(answer(store, 'later')), 1);
  expect(await second.end).toBe('copy-whole');
  store.completeness.set(true);
  clearInterval(watching);
  answers.add(answer(store, 'later'));
  // Never cleared in between.
  expect([...answers].filter((found) => found !== 'unreadable')).toEqual(['revoked']);
  expect(['unheard-of', 'before', 'since', 'lent'].map((jti) => answer(store, jti))).toEqual([
    'active',
    'revoked',
    'revoked',
    'suspended',
  ]);
  expect(store.retirementOf(keyHashOf('retired later'))).toBe('retired');
});

it('ends where there is no snapshot, a forged one, or one that the records do not lead on from', async () => {
  expect(await (await begin()).end).toBe('no-snapshot');
  await publish();
  await revoke('since');
  const [stream] = await redis.admin.keys(key('stream:*'));
  await redis.admin.xtrim(stream as string, 'MAXLEN', 0);
  const gap = await begin();
  expect(await gap.end).toBe('log-differs');
  expect(gap.freshness.read().state).toBe('expired');
  const chunks = await redis.admin.keys(key('filter*'));
  for (const name of chunks) {
    if ((await redis.admin.type(name)) === 'string') await redis.admin.setrange(name, 100, 'forged');
  }
  expect(await (await begin()).end).toBe('no-snapshot');
});
