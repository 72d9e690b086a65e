/** Gateways that end behind the load balancer: by SIGTERM no call is lost, by SIGKILL those at most that were under way. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Cards, makeCards } from '../../../deploy/stack/cards.ts';
import { type Child, freePorts } from '../../../deploy/stack/child.ts';
import { type Load, startLoad } from '../../../deploy/stack/load.ts';
import { startLoadBalancer } from '../../../deploy/stack/load-balancer.ts';
import { createTally, type Tally } from '../../../deploy/stack/tally.ts';
import { scrape } from '../../support/call.ts';
import { type Gateway, startGateway } from '../../support/gateway.ts';
import { exchangeRaw, head, open } from '../../support/raw-http.ts';

const TIMEOUT_MS = 120_000;

let cards: Cards;
let gateways: [Gateway, Gateway];
let balancer: Child;
let directory: string;
let port: number;
let tally: Tally;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'vigie-ends-'));
  cards = makeCards(100);
  // Nothing is shed because the machine is busy: a call that fails is one that was lost.
  const env = { VIGIE_QUEUE_TARGET_MS: '1000', VIGIE_BATCH_QUEUE_MS: '10000' };
  const options = { trustList: cards.trustList, env };
  gateways = await Promise.all([startGateway(options), startGateway(options)]);
  const [own, metricsPort] = (await freePorts(2)) as [number, number];
  port = own;
  const ports = [gateways[0].dataPort, gateways[1].dataPort] as const;
  balancer = await startLoadBalancer({ directory, port, metricsPort, gateways: ports });
  tally = createTally('all');
}, TIMEOUT_MS);

afterEach(async () => {
  await balancer?.stop();
  await Promise.all((gateways ?? []).map((gateway) => gateway.dispose()));
  rmSync(directory, { recursive: true, force: true });
});

function underLoad(): Load {
  const { shown } = cards;
  return startLoad({ port, cards: shown, tally, singlesPerSecond: 100, batchesPerSecond: 5, batchItems: 20 });
}

it(
  'a gateway told to end has answered all it was sent; the other one takes the rest',
  async () => {
    const load = underLoad();
    await sleep(1_000);
    gateways[0].signal('SIGTERM');
    expect(await gateways[0].ended).toEqual({ code: 0, signal: null });
    await sleep(1_000);
    await load.stop();
    expect(tally.now).toMatchObject({ failed: 0, failedTwice: 0, failures: {} });
    expect(tally.now.judgements).toMatchObject({ wrong: 0, 'cannot tell': 0 });
    expect(tally.now.calls).toBeGreaterThan(200);
  },
  TIMEOUT_MS,
);

it(
  'a gateway that is killed takes with it what was under way there, and nothing that comes later',
  async () => {
    const load = underLoad();
    await sleep(1_000);
    const { now } = tally;
    const sentBefore = now.calls - load.underWay();
    gateways[0].signal('SIGKILL');
    await gateways[0].ended;
    const underWayAtMost = now.calls - sentBefore;
    await sleep(2_000);
    await load.stop();
    expect(now.failed).toBeLessThanOrEqual(underWayAtMost);
    expect(now.failedTwice).toBe(0);
    expect(now.judgements.wrong).toBe(0);
  },
  TIMEOUT_MS,
);

it(
  'a call that had reached a gateway is not sent again when that one dies: its holder proof may be used up',
  async () => {
    const body = JSON.stringify({ credential: cards.shown[0]?.text });
    const request =
      head(
        'POST /v1/verify HTTP/1.1',
        ...['Host: vigie', 'Content-Type: application/json', `Content-Length: ${body.length}`],
      ) + body;
    const answered = async (gateway: Gateway) =>
      (await scrape(gateway.metrics)).get('vigie_requests_total{route="verify",status="200"}') ?? 0;
    // It takes connections, since the kernel does, and answers none.
    gateways[0].signal('SIGSTOP');
    const calls = [exchangeRaw(port, [request]), exchangeRaw(port, [request])];
    const first = await Promise.race(calls);
    expect(first.answers[0]?.status).toBe(200);
    gateways[0].signal('SIGKILL');
    const statuses = (await Promise.all(calls)).map(({ answers }) => answers[0]?.status);
    expect(statuses.sort()).toEqual([200, 502]);
    expect(await answered(gateways[1])).toBe(1);
  },
  TIMEOUT_MS,
);

it(
  'without any gateway calls are refused as not ready, and told to come back',
  async () => {
    for (const gateway of gateways) gateway.signal('SIGKILL');
    const get = head('GET /v1/openapi.json HTTP/1.1', 'Host: vigie');
    const status = async () => (await exchangeRaw(port, [get])).answers[0];
    await expect.poll(async () => (await status())?.status, { timeout: 20_000 }).toBe(503);
    const answer = await status();
    expect(answer?.headers['retry-after']).toBe('1');
    expect(JSON.parse(answer?.body ?? '')).toMatchObject({ type: 'not-ready', status: 503 });
    // Connections that only come and go leave it as it is.
    (await open(port)).destroy();
    expect((await status())?.status).toBe(503);
  },
  TIMEOUT_MS,
);
