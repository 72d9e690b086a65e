/** Gateways that Sentinel leads: the primary is killed under load, its replica promoted, and it comes back as one. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { judged } from '../../history/judged.ts';
import { type Recording, record } from '../../history/recorder.ts';
import { until, verify } from '../../support/call.ts';
import {
  acknowledged,
  answered,
  card,
  change,
  type Deployment,
  deploy,
  fresh,
} from '../../support/deployment.ts';
import type { Gateway } from '../../support/gateway.ts';
import {
  type RedisServer,
  replicate,
  type Sentinel,
  startRedis,
  startSentinel,
  until as untilWithin,
} from '../../support/redis.ts';

const TIMEOUT_MS = 90_000;
const PRIMARY_NAME = 'cards';

let deployment: Deployment;
let replica: RedisServer;
let sentinel: Sentinel;
let recording: Recording;
const fleet = new Map<string, Gateway>();
const all = () => [...fleet.values()];

beforeAll(async () => {
  // Both survive kill -9 with all that they took; which of them leads is Sentinel's affair from here on.
  const args = ['--appendonly', 'yes'];
  deployment = await deploy({ args });
  replica = await startRedis({ args });
  await replicate(replica, deployment.redis);
  sentinel = await startSentinel(PRIMARY_NAME, deployment.redis.port);
  const env = {
    VIGIE_REDIS_URL: `redis+sentinel://127.0.0.1:${sentinel.port}/${PRIMARY_NAME}`,
    VIGIE_REDIS_WAIT_REPLICAS: '1',
  };
  for (const name of ['a', 'b']) fleet.set(name, await deployment.start(name, env));
  await fresh(all(), 30);
  await acknowledged(fleet.get('a') as Gateway, 'before');
  await answered(all(), 'before', 'revoked');
  recording = record({ fleet });
  await recording.more();
}, TIMEOUT_MS);

afterAll(async () => {
  await recording?.stop();
  await deployment?.dispose();
  await sentinel?.stop();
  await replica?.stop();
});

it(
  'goes over to the promoted replica; promised again as soon as that has a replica itself; nothing is lost',
  async () => {
    const old = deployment.redis;
    old.signal('SIGKILL');
    const roleOf = async ({ admin }: RedisServer) => /role:(\w+)/.exec(await admin.info('replication'))?.[1];
    await untilWithin(async () => (await roleOf(replica)) === 'master', 'the promotion', 30);
    // It leads alone: nobody confirms that, so nothing is promised, and what is known is answered and grows old.
    for (const gateway of all()) {
      await until(async () => (await verify(gateway.data, card('good'))).revocation.state === 'stale');
      expect((await verify(gateway.data, card('good'))).reason).toBe('ok');
    }
    await answered(all(), 'before', 'revoked');
    expect(
      (await change(fleet.get('b') as Gateway, 'asked-in-between', 'revoked', 'in-between')).status,
    ).toBe(503);

    await old.restart({ ready: false });
    await untilWithin(async () => (await roleOf(old)) === 'slave', 'the demotion', 30);
    await fresh(all(), 30);
    await acknowledged(fleet.get('b') as Gateway, 'after');
    await answered(all(), 'after', 'revoked');
    await recording.more();
  },
  TIMEOUT_MS,
);

it('the history of all of it holds', async ({ annotate }) => {
  await annotate(JSON.stringify(await judged('sentinel-failover', recording, fleet, replica)));
}, 120_000);
