/** The canary of gateways that share a log: one entry for all, and none of their business while Redis is away. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { call, type ProblemAnswer, scrape, until } from '../../support/call.ts';
import { type Deployment, deploy, fresh } from '../../support/deployment.ts';
import type { Gateway } from '../../support/gateway.ts';

const TIMEOUT_MS = 60_000;
const CANARY = { VIGIE_CANARY: 'auto', VIGIE_CANARY_INTERVAL_MS: '200' };

let deployment: Deployment;
beforeEach(async () => {
  deployment = await deploy();
}, TIMEOUT_MS);
afterEach(() => deployment.dispose());

async function runs(gateway: Gateway, result: string): Promise<number> {
  return (await scrape(gateway.metrics)).get(`vigie_canary_runs_total{result="${result}"}`) ?? Number.NaN;
}

async function armed(gateway: Gateway): Promise<void> {
  const before = await runs(gateway, 'ok');
  await until(async () => (await runs(gateway, 'ok')) > before + 2);
}

async function reasons(gateway: Gateway): Promise<unknown> {
  return (await call<ProblemAnswer>(`${gateway.data}/readyz`)).json.reasons ?? [];
}

const ONE_ENTRY = { seq: 1, revoked: 1, entries: 1 };
const summary = async (gateway: Gateway) => (await call(`${gateway.admin}/admin/v1/status/summary`)).json;

it(
  'is one entry for all gateways, however often and together they start',
  async () => {
    const both = await Promise.all(['a', 'b'].map((name) => deployment.start(name, CANARY)));
    await fresh(both);
    for (const gateway of both) await armed(gateway);
    for (const gateway of both) {
      expect(await summary(gateway)).toMatchObject(ONE_ENTRY);
      expect([await runs(gateway, 'wrong'), await runs(gateway, 'late')]).toEqual([0, 0]);
      expect(await reasons(gateway)).toEqual([]);
    }
    await both[1]?.dispose();
    const again = await deployment.start('b', CANARY);
    await armed(again);
    const third = await deployment.start('c', CANARY);
    await armed(third);
    for (const gateway of [both[0] as Gateway, again, third]) {
      expect(await summary(gateway)).toMatchObject(ONE_ENTRY);
    }
  },
  TIMEOUT_MS,
);

it(
  'is not armed while Redis is away, says so once, and catches up',
  async () => {
    deployment.redis.signal('SIGSTOP');
    const gateway = await deployment.start('a', CANARY);
    await until(async () => (await runs(gateway, 'unarmed')) > 5);
    // A gateway without a copy knows nothing: that alone keeps it from being ready.
    expect(await reasons(gateway)).toEqual(['revocation_too_old']);
    expect([await runs(gateway, 'wrong'), await runs(gateway, 'ok')]).toEqual([0, 0]);
    expect((await scrape(gateway.metrics)).get('vigie_canary_healthy')).toBe(1);
    expect(gateway.stderr().match(/the canary is not armed yet/g)).toHaveLength(1);
    deployment.redis.signal('SIGCONT');
    await fresh([gateway], 30);
    await armed(gateway);
    expect(await reasons(gateway)).toEqual([]);
  },
  TIMEOUT_MS,
);

it(
  'is armed by the own copy of a gateway that starts again without Redis, and stays right when its life is lost',
  async () => {
    const first = await deployment.start('a', CANARY);
    await fresh([first]);
    await armed(first);
    await first.dispose();
    deployment.redis.signal('SIGSTOP');
    const again = await deployment.start('a', CANARY);
    await armed(again);
    expect(await runs(again, 'unarmed')).toBe(0);
    expect(await reasons(again)).toEqual([]);
    deployment.redis.signal('SIGCONT');
    await deployment.redis.restart({ wipe: true });
    await fresh([again], 30);
    await armed(again);
    expect([await runs(again, 'wrong'), await runs(again, 'late')]).toEqual([0, 0]);
    expect(await summary(again)).toMatchObject({ revoked: 1, entries: 1 });
  },
  TIMEOUT_MS,
);
