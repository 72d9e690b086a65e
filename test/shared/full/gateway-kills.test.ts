/** Gateways killed with SIGKILL under load, and at every step of a revocation. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { APPEND } from '../../../src/revocation/shared/redis/append-script.ts';
import { judged } from '../../history/judged.ts';
import { type Recording, record } from '../../history/recorder.ts';
import { call } from '../../support/call.ts';
import { answered, type Deployment, deploy, fresh } from '../../support/deployment.ts';
import type { Gateway } from '../../support/gateway.ts';
import { type Link, startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';

/** Where the victim of this name dies, and what becomes of what it had sent. */
interface Step {
  readonly name: string;
  /** `sent`: its append left for Redis; `answered`: Redis's answer came back; `acknowledged`: the caller has it. */
  readonly at: 'sent' | 'answered' | 'acknowledged';
  readonly link?: Link;
  readonly delayMs?: number;
  /** What is still on its way is lost with the connection, unless it arrives once everybody has gone on. */
  readonly arrivesLate?: boolean;
}

const STEPS: readonly Step[] = [
  { name: 'append-lost', at: 'sent', link: 'hold-to-server' },
  { name: 'append-late', at: 'sent', link: 'hold-to-server', arrivesLate: true },
  { name: 'append-unanswered', at: 'sent', link: 'hold-to-client', delayMs: 100 },
  // From the answer on it commits, syncs, sets the filter's bits and replies: a few milliseconds.
  ...[0, 1, 3, 8].map((delayMs) => ({ name: `answered-${delayMs}`, at: 'answered' as const, delayMs })),
  { name: 'acknowledged', at: 'acknowledged' },
];
const WITNESS = 'witness';
const TIMEOUT_MS = 150_000;
/** The table's bound is 5 s; on a machine where other tests run at once it is no test of the gateway. */
const READY_WITHIN_MS = 20_000;

let deployment: Deployment;
let recording: Recording;
const fleet = new Map<string, Gateway>();
const proxies = new Map<string, TcpProxy>();
/** Victims that are to die at the next occasion, by name. */
const doomed = new Set<string>();
const gatewayOf = (name: string) => fleet.get(name) as Gateway;
const proxyOf = (name: string) => proxies.get(name) as TcpProxy;
const urlOf = (name: string) => ({ VIGIE_REDIS_URL: `redis://127.0.0.1:${proxyOf(name).port}` });

beforeAll(async () => {
  deployment = await deploy();
  fleet.set(WITNESS, await deployment.start(WITNESS));
  await Promise.all(
    STEPS.map(async (step) => {
      const { name } = step;
      proxies.set(name, await proxyBefore(step));
      fleet.set(name, await deployment.start(name, urlOf(name)));
    }),
  );
  await fresh([...fleet.values()], 40);
  recording = record({ fleet, admitting: () => [gatewayOf(WITNESS)], verifyGapMs: 150 });
  await recording.more();
}, TIMEOUT_MS);

afterAll(async () => {
  await recording?.stop();
  await deployment?.dispose();
  await Promise.all([...proxies.values()].map((proxy) => proxy.close()));
});

/** Sees a doomed victim's append and its answer pass, and kills it there. */
async function proxyBefore({ name, at, link, delayMs = 0 }: Step): Promise<TcpProxy> {
  let appending: number | undefined;
  const dies = async (): Promise<void> => {
    doomed.delete(name);
    if (link !== undefined) proxy.link(link);
    if (delayMs > 0) await sleep(delayMs);
    kill(name);
  };
  const proxy = await startTcpProxy({
    serverPort: deployment.redis.port,
    onBytes: (towards, bytes, connection) => {
      if (!doomed.has(name)) return;
      if (towards === 'server' && bytes.includes(APPEND.sha1)) appending = connection;
      if (connection !== appending) return;
      if (at === (towards === 'server' ? 'sent' : 'answered')) void dies();
    },
  });
  return proxy;
}

function kill(name: string): Gateway {
  const victim = gatewayOf(name);
  fleet.delete(name);
  victim.signal('SIGKILL');
  return victim;
}

/** Ready by its own copy, however its links are. */
async function restart(name: string): Promise<void> {
  const beganMs = performance.now();
  const again = await deployment.start(name, name === WITNESS ? {} : urlOf(name));
  expect((await call(`${again.data}/readyz`)).status).toBe(200);
  expect(performance.now() - beganMs).toBeLessThan(READY_WITHIN_MS);
  fleet.set(name, again);
}

it(
  'killed at any step of a revocation, its caller repeats the call elsewhere: it holds, once, for good',
  async () => {
    await Promise.all(
      STEPS.map(async ({ name, at, arrivesLate }) => {
        const victim = gatewayOf(name);
        doomed.add(name);
        const changes = [
          { card: `${name}-1`, status: 'revoked' as const },
          { card: `${name}-2`, status: 'revoked' as const },
        ];
        // On a busy machine it may refuse before it comes to its step: it is asked until it is dead.
        const whom = () => fleet.get(name) ?? gatewayOf(WITNESS);
        await expect.poll(() => recording.call(whom, changes, name), { timeout: 40_000 }).toBe('ok');
        if (at === 'acknowledged') kill(name);
        expect(await victim.ended).toEqual({ code: null, signal: 'SIGKILL' });
        if (arrivesLate !== true) proxyOf(name).link('refuse');
        proxyOf(name).link('pass');
      }),
    );
    await Promise.all(STEPS.map(({ name }) => restart(name)));
    await fresh([...fleet.values()], 30);
    for (const { name } of STEPS) await answered([...fleet.values()], `${name}-2`, 'revoked');
  },
  TIMEOUT_MS,
);

it(
  'killed under load: the others serve, and it is back from its own copy',
  async () => {
    for (const name of ['acknowledged', WITNESS]) {
      const elsewhere = [...fleet.keys()].find((other) => other !== name) as string;
      const victim = kill(name);
      await victim.ended;
      const changes = [{ card: `while-${name}-was-dead`, status: 'revoked' as const }];
      expect(await recording.call(() => gatewayOf(elsewhere), changes, `${name}-dead`)).toBe('ok');
      await restart(name);
    }
    await fresh([...fleet.values()], 30);
    await recording.more();
  },
  TIMEOUT_MS,
);

it('the history of all of it holds', async ({ annotate }) => {
  await annotate(JSON.stringify(await judged('gateway-kills', recording, fleet, deployment.redis)));
}, 120_000);
