/** Gateways on a Redis cluster: a failover asked for, and one forced by kill -9, forget nothing acknowledged. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until, verify } from '../../support/call.ts';
import {
  acknowledged,
  answered,
  card,
  change,
  type Deployment,
  deployOn,
  fresh,
} from '../../support/deployment.ts';
import type { Gateway } from '../../support/gateway.ts';
import type { RedisServer } from '../../support/redis.ts';
import { confirming, promoted, type RedisCluster, startCluster } from '../../support/redis-cluster.ts';

const WAITING = { VIGIE_REDIS_WAIT_REPLICAS: '1' };

let deployment: Deployment<RedisCluster>;
let both: readonly [Gateway, Gateway];
/** Revoked, and acknowledged as such. */
const revoked: string[] = [];

beforeAll(async () => {
  const cluster = await startCluster({ replicas: 2 });
  deployment = deployOn(cluster, cluster.url);
  await confirming(cluster.owner, 2);
  both = [await deployment.start('a', WAITING), await deployment.start('b', WAITING)];
  await fresh(both);
}, 90_000);

afterAll(() => deployment.dispose());

/** Asks for revocations, at one gateway and the other, while `work` goes on, and as long as it takes. */
async function revokingMeanwhile(work: () => Promise<void>): Promise<void> {
  let over = false;
  const asking = (async () => {
    for (let i = 0; !over; i++) {
      const jti = `meanwhile-${revoked.length}-${i}`;
      const answer = await change(both[i % 2] as Gateway, jti, 'revoked', jti);
      if (answer.status === 200) revoked.push(jti);
      else expect(answer.status).toBe(503);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  await work();
  over = true;
  await asking;
}

async function expectAllRevoked(gateways: readonly Gateway[]): Promise<void> {
  for (const jti of revoked) await answered(gateways, jti, 'revoked');
}

it('what one acknowledges the other enforces', async () => {
  for (let i = 0; i < 4; i++) {
    await acknowledged(both[i % 2] as Gateway, `before-${i}`);
    revoked.push(`before-${i}`);
  }
  await expectAllRevoked(both);
  expect(await deployment.redis.owner.admin.hget('{vigie}:log', 'seq')).toBe('4');
});

it('a failover asked for: nothing acknowledged is forgotten, and changes are acknowledged again', async () => {
  const [next] = deployment.redis.replicas as [RedisServer, RedisServer];
  await revokingMeanwhile(async () => {
    await next.admin.call('CLUSTER', 'FAILOVER');
    await promoted(next);
    await fresh(both, 30);
  });
  await acknowledged(both[0], 'after-failover');
  revoked.push('after-failover');
  await expectAllRevoked(both);
  const seq = Number(await next.admin.hget('{vigie}:log', 'seq'));
  expect(seq).toBeGreaterThanOrEqual(revoked.length);
}, 60_000);

it('a primary killed: one of its replicas takes over with all that was acknowledged', async () => {
  const { owner, replicas } = deployment.redis;
  const [primary, other] = replicas as [RedisServer, RedisServer];
  // Both follow the killed one by now, so that whoever takes over is confirmed by the other.
  await confirming(primary, 2);
  await revokingMeanwhile(async () => {
    primary.signal('SIGKILL');
    const next = await Promise.any([owner, other].map((node) => promoted(node).then(() => node)));
    // The one left follows the new primary as soon as it has heard of it.
    await confirming(next);
    await fresh(both, 30);
  });
  await acknowledged(both[1], 'after-kill');
  revoked.push('after-kill');
  await expectAllRevoked(both);
  // Who comes new has it from the log alone.
  const newcomer = await deployment.start('c', WAITING);
  await fresh([newcomer], 30);
  await expectAllRevoked([newcomer]);
}, 90_000);

it('named as one server it is refused, and the log says by what name it is to be had', async () => {
  const lost = await deployment.start('d', {
    VIGIE_REDIS_URL: `redis://127.0.0.1:${deployment.redis.owner.port}`,
  });
  await until(() => lost.stderr().includes('CLUSTERMODE'));
  expect(lost.stderr()).toContain('redis+cluster://');
  expect((await verify(lost.data, card('good'))).reason).toBe('revocation_stale');
});
