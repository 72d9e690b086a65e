/** What Redis loses, gateways bring back; what a gateway loses, Redis has: killed, wiped, trimmed, restored. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { call, type ProblemAnswer, scrape, until, verify } from '../support/call.ts';
import {
  acknowledged,
  answered,
  card,
  change,
  type Deployment,
  deploy,
  fresh,
  key,
} from '../support/deployment.ts';
import type { Gateway } from '../support/gateway.ts';

const TIMEOUT_MS = 90_000;
let deployment: Deployment;
afterEach(() => deployment.dispose());

async function started(names: readonly string[]): Promise<Gateway[]> {
  const gateways = await Promise.all(names.map((name) => deployment.start(name)));
  await fresh(gateways);
  return gateways;
}

it(
  'a Redis killed and empty is filled again, and no revocation is forgotten by anybody meanwhile',
  async () => {
    deployment = await deploy();
    const both = await started(['a', 'b']);
    const [a, b] = both as [Gateway, Gateway];
    await acknowledged(a, 'before');
    await answered(both, 'before', 'revoked');
    await deployment.redis.restart({ wipe: true });
    await answered(both, 'before', 'revoked');
    await fresh(both);
    await answered(both, 'before', 'revoked');
    await acknowledged(b, 'after');
    await answered(both, 'after', 'revoked');
    // Who comes new gets everything from the log made anew.
    const newcomer = await deployment.start('c');
    expect((await verify(newcomer.data, card('before'))).reason).not.toBe('ok');
    await fresh([newcomer]);
    await answered([newcomer], 'before', 'revoked');
    const healings = async (one: Gateway) =>
      (await scrape(one.metrics)).get('vigie_revocation_healings_total') ?? 0;
    expect((await healings(a)) + (await healings(b))).toBeGreaterThanOrEqual(2);
  },
  TIMEOUT_MS,
);

it(
  'a gateway killed with changes acknowledged has them, and has those that others made meanwhile',
  async () => {
    deployment = await deploy();
    const [a, b] = (await started(['a', 'b'])) as [Gateway, Gateway];
    await acknowledged(a, 'own');
    a.signal('SIGKILL');
    await a.ended;
    await acknowledged(b, 'meanwhile');
    const again = await deployment.start('a');
    expect((await verify(again.data, card('own'))).reason).toBe('revoked');
    await answered([again], 'meanwhile', 'revoked', 3_000);
  },
  TIMEOUT_MS,
);

it(
  'a gateway starts from its own copy with Redis down, says how old that is, and acknowledges nothing',
  async () => {
    deployment = await deploy();
    const [a] = (await started(['a'])) as [Gateway];
    await acknowledged(a, 'kept');
    a.signal('SIGTERM');
    expect(await a.ended).toEqual({ code: 0, signal: null });
    deployment.redis.signal('SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 5_500));
    const again = await deployment.start('a');
    expect(await verify(again.data, card('kept'))).toMatchObject({
      reason: 'revoked',
      revocation: { state: 'stale' },
    });
    const good = await verify(again.data, card('good'));
    expect(good).toMatchObject({ reason: 'ok', revocation: { state: 'stale' } });
    expect(good.revocation.ageMs).toBeGreaterThan(5_500);
    expect((await call(`${again.data}/readyz`)).status).toBe(200);
    const refused = await change(again, 'not-now', 'revoked');
    expect([refused.status, (refused.json as unknown as ProblemAnswer).cause]).toEqual([
      503,
      'log-unreachable',
    ]);
    // Without a copy nothing can be said of a card at all.
    const brandNew = await deployment.start('new');
    expect((await verify(brandNew.data, card('good'))).reason).toBe('revocation_stale');
    expect((await call(`${brandNew.data}/readyz`)).status).toBe(503);
    await deployment.redis.restart();
    await fresh([again, brandNew], 30);
    await answered([again, brandNew], 'kept', 'revoked');
  },
  TIMEOUT_MS,
);

it(
  'a gateway that fell behind a trimmed stream compares its copy with the log',
  async () => {
    deployment = await deploy();
    const [a, b] = (await started(['a', 'b'])) as [Gateway, Gateway];
    await acknowledged(a, 'first');
    await answered([b], 'first', 'revoked');
    b.signal('SIGKILL');
    await b.ended;
    for (let i = 0; i < 20; i++) await acknowledged(a, `missed-${i}`);
    const [stream] = await deployment.redis.admin.keys(key('stream:*'));
    await deployment.redis.admin.xtrim(stream as string, 'MAXLEN', 0);
    await acknowledged(a, 'lent', 'suspended');
    const again = await deployment.start('b');
    await fresh([again]);
    for (let i = 0; i < 20; i++) await answered([again], `missed-${i}`, 'revoked');
    await answered([again], 'lent', 'suspended');
    expect((await scrape(again.metrics)).get('vigie_revocation_reconciliations_total')).toBe(1);
  },
  TIMEOUT_MS,
);

it(
  'an older backup of Redis brought back loses nothing that was acknowledged',
  async () => {
    deployment = await deploy();
    const { redis } = deployment;
    const both = await started(['a', 'b']);
    const [a, b] = both as [Gateway, Gateway];
    await acknowledged(a, 'in-backup');
    await redis.admin.save();
    copyFileSync(join(redis.dir, 'dump.rdb'), join(redis.dir, 'backup.rdb'));
    await acknowledged(a, 'after-backup');
    await acknowledged(b, 'lent', 'suspended');
    await answered(both, 'after-backup', 'revoked');
    copyFileSync(join(redis.dir, 'backup.rdb'), join(redis.dir, 'dump.rdb'));
    await redis.restart();
    await until(async () => (await redis.admin.exists(key('log'))) === 1);
    await answered(both, 'after-backup', 'revoked');
    // A gateway without a copy must not take the old log for the whole truth.
    const newcomer = await deployment.start('c');
    await fresh([...both, newcomer], 30);
    await answered([...both, newcomer], 'after-backup', 'revoked');
    await answered([...both, newcomer], 'lent', 'suspended');
    await acknowledged(b, 'later');
    await answered([...both, newcomer], 'later', 'revoked');
  },
  TIMEOUT_MS,
);
