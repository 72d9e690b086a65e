/**
 * Verifications do not feel what happens to Redis: their 99th percentile in a fault against that of the calm right
 * before it, five pairs for each fault, the median of the five ratios.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { verify } from '../../support/call.ts';
import { acknowledged, answered, card, type Deployment, deploy, fresh } from '../../support/deployment.ts';
import type { Gateway } from '../../support/gateway.ts';
import { flap, startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';

const PAIRS = 5;
const PHASE_MS = 3_000;
const CLIENTS = 4;
const GAP_MS = 5;
const MOST_MEDIAN_RATIO = 1.5;

let deployment: Deployment;
let proxy: TcpProxy;
let gateway: Gateway;

beforeAll(async () => {
  deployment = await deploy({ args: ['--appendonly', 'yes'] });
  proxy = await startTcpProxy({ serverPort: deployment.redis.port });
  gateway = await deployment.start('a', { VIGIE_REDIS_URL: `redis://127.0.0.1:${proxy.port}` });
  await fresh([gateway]);
  await acknowledged(gateway, 'revoked');
  await answered([gateway], 'revoked', 'revoked');
  // Warm, so that the first phase is not the slowest.
  await p99Ms();
}, 60_000);

afterAll(async () => {
  await deployment?.dispose();
  await proxy?.close();
});

/** Of single verifications, a revoked card and a good one in turn, by clients that pause a little between. */
async function p99Ms(): Promise<number> {
  const cards = [card('good'), card('revoked')];
  const expected = ['ok', 'revoked'];
  const latenciesMs: number[] = [];
  const untilMs = performance.now() + PHASE_MS;
  const client = async (): Promise<void> => {
    for (let i = 0; performance.now() < untilMs; i++, await sleep(GAP_MS)) {
      const beganMs = performance.now();
      const { reason } = await verify(gateway.data, cards[i % 2] as string);
      latenciesMs.push(performance.now() - beganMs);
      expect(reason).toBe(expected[i % 2]);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  latenciesMs.sort((a, b) => a - b);
  return latenciesMs[Math.floor(latenciesMs.length * 0.99)] as number;
}

/** Begins a fault and returns what ends it. */
type Fault = () => () => unknown;
const linkOf =
  (...link: Parameters<TcpProxy['link']>): Fault =>
  () => {
    proxy.link(...link);
    return () => proxy.link('pass');
  };
const FAULTS: readonly { readonly name: string; readonly begin: Fault }[] = [
  {
    name: 'killed',
    begin: () => {
      deployment.redis.signal('SIGKILL');
      return () => deployment.redis.restart();
    },
  },
  {
    name: 'frozen',
    begin: () => {
      deployment.redis.signal('SIGSTOP');
      return () => deployment.redis.signal('SIGCONT');
    },
  },
  { name: 'slow by two seconds', begin: linkOf('pass', 2_000) },
  { name: 'half-open', begin: linkOf('half-open') },
  { name: 'partitioned', begin: linkOf('hold') },
  { name: 'silent from Redis', begin: linkOf('hold-to-client') },
  { name: 'flapping', begin: () => flap(proxy, 1_000) },
];

it.for(FAULTS)('Redis $name', { timeout: 300_000 }, async ({ begin }, { annotate, expect }) => {
  const ratios: number[] = [];
  for (let pair = 0; pair < PAIRS; pair++) {
    await fresh([gateway], 20);
    const calmMs = await p99Ms();
    const end = begin();
    const faultMs = await p99Ms();
    await end();
    ratios.push(faultMs / calmMs);
  }
  ratios.sort((a, b) => a - b);
  await annotate(`p99 in the fault / in calm: ${ratios.map((ratio) => ratio.toFixed(2)).join(', ')}`);
  expect(ratios[Math.floor(PAIRS / 2)]).toBeLessThanOrEqual(MOST_MEDIAN_RATIO);
});
