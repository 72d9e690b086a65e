/** Links to Redis that fail in every way, each under a gateway of its own, with one beside them that is unhurt. */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judged } from '../../history/judged.ts';
import { type Recording, record } from '../../history/recorder.ts';
import { call, until, verify } from '../../support/call.ts';
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
import { flap, startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';

const ROWS = [
  { name: 'slow-by-two-seconds', breakLink: (proxy: TcpProxy) => proxy.link('pass', 2_000) },
  { name: 'half-open', breakLink: (proxy: TcpProxy) => proxy.link('half-open') },
  { name: 'silent-towards-redis', breakLink: (proxy: TcpProxy) => proxy.link('hold-to-server') },
  { name: 'silent-from-redis', breakLink: (proxy: TcpProxy) => proxy.link('hold-to-client') },
  { name: 'partitioned', breakLink: (proxy: TcpProxy) => proxy.link('hold') },
  { name: 'refused', breakLink: (proxy: TcpProxy) => proxy.link('refuse') },
] as const;
const FLAPPING = 'flapping';
const TIMEOUT_MS = 90_000;
/** Much more than a gateway's own noise, much less than what a leak in each attempt would come to. */
const MEMORY_GROWTH_BYTES = 100 * 1024 * 1024;
/** Three connections, each with pauses up to a second: some fifteen attempts each in six seconds. */
const MOST_ATTEMPTS = 120;

let deployment: Deployment;
let recording: Recording;
const fleet = new Map<string, Gateway>();
const proxies = new Map<string, TcpProxy>();
const gatewayOf = (name: string) => fleet.get(name) as Gateway;
const proxyOf = (name: string) => proxies.get(name) as TcpProxy;

beforeAll(async () => {
  deployment = await deploy();
  fleet.set('unhurt', await deployment.start('unhurt'));
  await Promise.all(
    [...ROWS.map(({ name }) => name), FLAPPING].map(async (name) => {
      const proxy = await startTcpProxy({ serverPort: deployment.redis.port });
      proxies.set(name, proxy);
      const url = `redis://127.0.0.1:${proxy.port}`;
      fleet.set(name, await deployment.start(name, { VIGIE_REDIS_URL: url }));
    }),
  );
  await fresh([...fleet.values()], 30);
  await acknowledged(gatewayOf('unhurt'), 'before');
  await answered([...fleet.values()], 'before', 'revoked');
  recording = record({
    fleet,
    // The last one asks everybody, so that changes are under way where a link breaks.
    admitting: (client) => (client < 2 ? [gatewayOf('unhurt')] : [...fleet.values()]),
    statusClients: 3,
    verifyGapMs: 100,
  });
}, TIMEOUT_MS);

afterAll(async () => {
  await recording?.stop();
  await deployment?.dispose();
  await Promise.all([...proxies.values()].map((proxy) => proxy.close()));
});

/** Resident memory as the system counts it. */
const memoryOf = ({ pid }: Gateway): number =>
  1024 * Number(execFileSync('ps', ['-o', 'rss=', '-p', `${pid}`], { encoding: 'utf8' }));

describe.concurrent('a link to Redis that is', () => {
  it.for(ROWS)(
    '$name: stale with its true age, everything verified as before, no change promised, and soon back',
    { timeout: TIMEOUT_MS },
    async ({ name, breakLink }, { expect }) => {
      const gateway = gatewayOf(name);
      const proxy = proxyOf(name);
      const memoryBefore = memoryOf(gateway);
      breakLink(proxy);
      const brokenMs = performance.now();
      await until(async () => (await verify(gateway.data, card('good'))).revocation.state === 'stale');
      expect(performance.now() - brokenMs).toBeGreaterThan(4_000);
      const askedMs = performance.now();
      const stale = await verify(gateway.data, card('good'));
      expect(stale.reason).toBe('ok');
      expect(stale.revocation.ageMs).toBeGreaterThanOrEqual(Math.floor(askedMs - brokenMs));
      expect((await verify(gateway.data, card('before'))).reason).toBe('revoked');
      expect((await call(`${gateway.data}/readyz`)).status).toBe(200);
      const refused = await change(gateway, `asked-of-${name}`, 'revoked');
      expect([refused.status, refused.json]).toMatchObject([503, { cause: 'log-unreachable' }]);
      // What others acknowledge meanwhile is not known here, and not claimed to be.
      await acknowledged(gatewayOf('unhurt'), `during-${name}`);
      expect((await verify(gatewayOf('unhurt').data, card('good'))).revocation.state).toBe('fresh');
      expect(proxy.heldBytes()).toBeLessThan(1024 * 1024);

      const attempts = proxy.acceptedMs.filter((atMs) => atMs > brokenMs).length;
      expect(attempts).toBeLessThan(MOST_ATTEMPTS);
      proxy.link('pass');
      await fresh([gateway], 10);
      await answered([gateway], `during-${name}`, 'revoked');
      await acknowledged(gateway, `asked-of-${name}`);
      expect(memoryOf(gateway) - memoryBefore).toBeLessThan(MEMORY_GROWTH_BYTES);
    },
  );

  it('refused for seconds: attempts go on, with jitter, a second or so apart at most', {
    timeout: TIMEOUT_MS,
  }, async ({ expect }) => {
    const proxy = proxyOf('refused');
    const accepted = () => proxy.acceptedMs;
    await until(() => accepted().length > 20);
    const attempts = [...accepted()].slice(3);
    const gaps = attempts.slice(1).map((atMs, i) => atMs - (attempts[i] as number));
    expect(new Set(gaps.map((gapMs) => Math.round(gapMs / 5))).size).toBeGreaterThan(5);
  });

  it('flapping each second: every card is verified throughout, and all is well soon after', {
    timeout: TIMEOUT_MS,
  }, async ({ expect }) => {
    const gateway = gatewayOf(FLAPPING);
    const memoryBefore = memoryOf(gateway);
    const stop = flap(proxyOf(FLAPPING), 1_000);
    const untilMs = performance.now() + 8_000;
    while (performance.now() < untilMs) {
      expect((await verify(gateway.data, card('before'))).reason).toBe('revoked');
      await sleep(50);
    }
    stop();
    await fresh([gateway], 10);
    await acknowledged(gateway, 'after-flapping');
    expect(memoryOf(gateway) - memoryBefore).toBeLessThan(MEMORY_GROWTH_BYTES);
  });
});

it(
  'the history of all of it holds',
  async ({ annotate }) => {
    await annotate(JSON.stringify(await judged('link-faults', recording, fleet, deployment.redis)));
    expect(recording.faults).toEqual([]);
  },
  TIMEOUT_MS,
);
