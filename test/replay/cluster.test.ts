/** Proofs shared in a Redis cluster: found there, and followed to another owner of the slot. */
import { afterEach, expect, it } from 'vitest';
import {
  confirming,
  migrateSlot,
  promoted,
  type RedisCluster,
  startCluster,
} from '../support/redis-cluster.ts';
import { idOf } from './replay-fixture.ts';
import { type Guard, openGuard, sharesAgain, stopGuards } from './sharing-fixture.ts';

const clusters: RedisCluster[] = [];
afterEach(async () => {
  stopGuards();
  await Promise.all(clusters.splice(0).map((cluster) => cluster.stop()));
});

async function startOne(): Promise<RedisCluster> {
  const cluster = await startCluster();
  clusters.push(cluster);
  return cluster;
}

const ids = (from: number, count: number) => Array.from({ length: count }, (_, i) => idOf(from + i));

const shares = (guard: Guard, name: string) => sharesAgain(guard, name, 25);

it('a proof is the first once, on whichever node the slot is', async () => {
  const { url, slot, owner, others } = await startOne();
  const [one, two] = [openGuard(url), openGuard(url)];
  await Promise.all([shares(one, 'one'), shares(two, 'two')]);
  expect(new Set(await one.ask(ids(0, 20)))).toEqual(new Set(['first']));
  const [next] = others;
  if (next === undefined) throw new Error('a cluster has several primaries');
  await migrateSlot(slot, owner, next);
  // The first call learns of the move; nothing is taken twice on the way.
  expect(await two.ask(ids(100, 1))).toEqual(['unreachable']);
  await Promise.all([shares(one, 'one moved'), shares(two, 'two moved')]);
  expect(new Set(await two.ask(ids(0, 20)))).toEqual(new Set(['seen']));
}, 90_000);

it('a failover is followed, with what the replica had', async () => {
  const { url, owner, replicas } = await startOne();
  const [replica] = replicas;
  if (replica === undefined) throw new Error('the owner has a replica');
  const [one, two] = [openGuard(url), openGuard(url)];
  await Promise.all([shares(one, 'one'), shares(two, 'two')]);
  await one.ask(ids(0, 20));
  await confirming(owner);
  owner.signal('SIGKILL');
  await promoted(replica);
  await shares(two, 'two after');
  expect(new Set(await two.ask(ids(0, 20)))).toEqual(new Set(['seen']));
}, 90_000);
