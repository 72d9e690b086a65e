/** What takes the place of a thread or of a gateway knows all that was learnt meanwhile, and nobody's call is lost to the change. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, type TestContext } from 'vitest';
import {
  BODY,
  becomesTwoAgain,
  bodyOf,
  HEAD,
  startWithFault,
  threadsOf,
  watch,
} from '../../support/broken-worker.ts';
import { call, changeStatus, scrape, until } from '../../support/call.ts';
import { type Gateway, startGateway, trustListDocument } from '../../support/gateway.ts';
import { open, parseAnswers } from '../../support/raw-http.ts';
import { ISS } from '../../support/synthetic-issuer.ts';

const TIMEOUT_MS = 60_000;
const CANARY = { VIGIE_CANARY: 'on', VIGIE_CANARY_INTERVAL_MS: '100', VIGIE_CANARY_DEADLINE_MS: '1000' };

const revoke = (gateway: Gateway, jti: string) =>
  changeStatus(gateway.admin, { iss: ISS, jti, status: 'revoked' });

/** Of a card, on connections that reach every thread. */
async function reasonsOf(gateway: Gateway, jti: string): Promise<unknown[]> {
  const answers = Array.from({ length: 8 }, () =>
    call(`${gateway.data}/v1/verify`, { body: bodyOf(jti), headers: { connection: 'close' } }),
  );
  return [...new Set((await Promise.all(answers)).map(({ json }) => json.reason))];
}

it(
  'a thread in the place of another judges by what came while that hung: revocations, filter, trust list, canary',
  async (test) => {
    const env = { ...CANARY, VIGIE_WORKER_HANG_MS: '4000' };
    const { gateway, strike, struck } = await startWithFault(test, 'loops', env);
    const before = await threadsOf(gateway);
    const oks = async () => (await scrape(gateway.metrics)).get('vigie_canary_runs_total{result="ok"}') ?? 0;
    await until(async () => (await oks()) > 4);
    strike();
    await struck();
    await revoke(gateway, 'while-it-hangs');
    await until(async () => (await call(`${gateway.metrics}/readyz`)).text.includes('canary'));
    writeFileSync(gateway.trustListFile, JSON.stringify(trustListDocument(2)));
    const post = (path: string) => call(`${gateway.admin}/admin/v1/${path}`, { method: 'POST' });
    const waiting = [post('trust-list/reload'), post('status/filter-rebuilds')] as const;
    await revoke(gateway, 'while-they-wait');
    const [reloaded, rebuilt] = await Promise.all(waiting);
    expect(reloaded.json).toEqual({ version: 2, changed: true, enforced: true });
    expect([rebuilt.status, Object.keys(rebuilt.json)]).toEqual([200, ['before', 'after']]);
    await revoke(gateway, 'afterwards');
    await becomesTwoAgain(gateway, before);
    for (const jti of ['while-it-hangs', 'while-they-wait', 'afterwards']) {
      expect(await reasonsOf(gateway, jti)).toEqual(['revoked']);
    }
    expect(await reasonsOf(gateway, 'another')).toEqual(['ok']);
    for (let round = 0; round < 8; round++) {
      const { json } = await call(`${gateway.data}/v1/verify`, {
        body: BODY,
        headers: { connection: 'close' },
      });
      expect(json).toMatchObject({ reason: 'ok', key: { set: 2 } });
    }
    // Nothing of the one that hung keeps the gateway from service, and the next is asked as the other is.
    const asked = await oks();
    await until(async () => (await oks()) >= asked + 6);
    expect((await call(`${gateway.metrics}/readyz`)).status).toBe(200);
    const samples = await scrape(gateway.metrics);
    expect(samples.get('vigie_canary_runs_total{result="wrong"}')).toBe(0);
    expect(samples.get('vigie_canary_healthy')).toBe(1);
    expect(samples.get('vigie_worker_restarts_total{why="silent"}')).toBe(1);
  },
  TIMEOUT_MS,
);

/** Those that a balancer sends calls to, by what `/readyz` says. */
function startBalancer({ onTestFinished }: TestContext) {
  const gateways = new Set<Gateway>();
  let ready: Gateway[] = [];
  let stopped = false;
  const done = (async () => {
    while (!stopped) {
      const seen: Gateway[] = [];
      for (const gateway of gateways) {
        const answer = await call(`${gateway.metrics}/readyz`).catch(() => undefined);
        if (answer?.status === 200) seen.push(gateway);
      }
      ready = seen;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  onTestFinished(async () => {
    stopped = true;
    await done;
  });
  return { gateways, ready: () => ready };
}

/** Calls without pause, on connections that live as long as the gateway lets them. */
function startClient(ready: () => readonly Gateway[], number: number) {
  const seen = { answered: 0, lost: 0, statuses: new Set<number>() };
  let stopped = false;
  const callOn = async (connection: Awaited<ReturnType<typeof open>>): Promise<void> => {
    const story = watch(connection);
    for (let calls = 1; !stopped; calls++) {
      connection.write(HEAD + BODY);
      await until(() => story.isClosed() || parseAnswers(story.text()).length === calls);
      const answer = parseAnswers(story.text())[calls - 1];
      if (answer === undefined) {
        seen.lost++;
        return;
      }
      seen.answered++;
      seen.statuses.add(answer.status);
      // The gateway has said that it takes nothing more here.
      if (answer.headers.connection === 'close') break;
    }
    connection.destroy();
  };
  const done = (async () => {
    for (let turn = number; !stopped; turn++) {
      const choice = ready();
      const gateway = choice[turn % choice.length];
      const connection = gateway && (await open(gateway.dataPort).catch(() => undefined));
      if (connection !== undefined) await callOn(connection);
      else await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return {
    seen,
    stop: () => {
      stopped = true;
      return done;
    },
  };
}

it(
  'a rolling restart of two gateways loses no call',
  async (test) => {
    const scratch = mkdtempSync(join(tmpdir(), 'vigie-rolling-'));
    test.onTestFinished(() => rmSync(scratch, { recursive: true, force: true }));
    const balancer = startBalancer(test);
    const start = async (name: string): Promise<Gateway> => {
      const gateway = await startGateway({ dataDir: join(scratch, name), env: { VIGIE_WORKERS: '2' } });
      test.onTestFinished(gateway.dispose);
      balancer.gateways.add(gateway);
      return gateway;
    };
    const running = { a: await start('a'), b: await start('b') };
    await until(() => balancer.ready().length === 2);
    const clients = Array.from({ length: 8 }, (_, number) => startClient(balancer.ready, number));
    const answered = (): number => clients.reduce((sum, { seen }) => sum + seen.answered, 0);
    const serves = async (): Promise<void> => {
      const before = answered();
      await until(() => answered() > before + 100);
    };
    for (const name of ['a', 'b'] as const) {
      await serves();
      running[name].signal('SIGTERM');
      await serves();
      expect(await running[name].ended).toEqual({ code: 0, signal: null });
      expect(running[name].stderr()).toContain('"unanswered":0,"msg":"ended"');
      balancer.gateways.delete(running[name]);
      running[name] = await start(name);
      await until(() => balancer.ready().length === 2);
    }
    await serves();
    await Promise.all(clients.map(({ stop }) => stop()));
    expect(clients.map(({ seen }) => [seen.lost, ...seen.statuses])).toEqual(clients.map(() => [0, 200]));
  },
  TIMEOUT_MS,
);
