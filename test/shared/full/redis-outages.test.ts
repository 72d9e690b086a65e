/** A Redis that is killed, frozen, read-only, full or loading, under load: what callers saw has to hold. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { judged } from '../../history/judged.ts';
import { type Recording, record } from '../../history/recorder.ts';
import { call, type ProblemAnswer, scrape, until, verify } from '../../support/call.ts';
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
import { type SmallDisk, smallDisk } from '../../support/small-disk.ts';

const TIMEOUT_MS = 60_000;
/** Behind a restart or a change of the primary, gateways let the log settle for three seconds. */
const BACK_WITHIN_SECONDS = 10;

let disk: SmallDisk;
let deployment: Deployment;
let recording: Recording;
const fleet = new Map<string, Gateway>();
const all = () => [...fleet.values()];
const gatewayOf = (name: string) => fleet.get(name) as Gateway;

beforeAll(async () => {
  disk = smallDisk(32);
  // Each key takes a hundredth of a second to load, and Redis answers between them: its loading can be seen.
  const slowLoading = ['--key-load-delay', '10000', '--loading-process-events-interval-bytes', '1024'];
  deployment = await deploy({ dir: disk.path, args: ['--appendonly', 'yes', ...slowLoading] });
  for (const name of ['a', 'b']) fleet.set(name, await deployment.start(name));
  await fresh(all());
  await acknowledged(gatewayOf('a'), 'before');
  await answered(all(), 'before', 'revoked');
  recording = record({ fleet });
}, TIMEOUT_MS);

// Changes are promised again before the next fault.
beforeEach(() => recording.more(), 30_000);

afterAll(async () => {
  await recording?.stop();
  await deployment?.dispose();
  disk?.remove();
});

const redis = () => deployment.redis;
const causeOf = async (name: string, jti: string): Promise<unknown> => {
  const answer = await change(gatewayOf(name), jti, 'revoked', jti);
  return [answer.status, (answer.json as unknown as ProblemAnswer).cause];
};

/** All say that they are stale, with an age that is true of an outage since then, and answer as before. */
async function staleSince(brokenMs: number): Promise<void> {
  for (const gateway of all()) {
    await until(async () => (await verify(gateway.data, card('good'))).revocation.state === 'stale');
    const askedMs = performance.now();
    const { reason, revocation } = await verify(gateway.data, card('good'));
    expect(reason).toBe('ok');
    expect(revocation.ageMs).toBeGreaterThanOrEqual(Math.floor(askedMs - brokenMs));
    expect((await call(`${gateway.data}/readyz`)).status).toBe(200);
  }
  await answered(all(), 'before', 'revoked');
}

it(
  'kill -9: stale, nothing promised, and back with everything',
  async () => {
    redis().signal('SIGKILL');
    await staleSince(performance.now());
    expect(await causeOf('a', 'asked-while-dead')).toEqual([503, 'log-unreachable']);
    await redis().restart();
    await fresh(all(), BACK_WITHIN_SECONDS);
    await acknowledged(gatewayOf('b'), 'asked-while-dead');
  },
  TIMEOUT_MS,
);

it(
  'SIGSTOP: connections are taken and nothing is answered',
  async () => {
    redis().signal('SIGSTOP');
    const stoppedMs = performance.now();
    await staleSince(stoppedMs);
    expect(await causeOf('a', 'asked-while-frozen')).toEqual([503, 'log-unreachable']);
    const state = 'vigie_revocation_log_state{state="unreachable"}';
    expect((await scrape(gatewayOf('a').metrics)).get(state)).toBe(1);
    await until(() => performance.now() - stoppedMs > 8_000);
    await staleSince(stoppedMs);
    redis().signal('SIGCONT');
    await fresh(all(), BACK_WITHIN_SECONDS);
    await acknowledged(gatewayOf('b'), 'asked-while-frozen');
  },
  TIMEOUT_MS,
);

/** By hand: a client would wait until Redis is ready. */
async function ping(): Promise<string> {
  const socket = connect({ port: redis().port, host: '127.0.0.1' });
  socket.write('PING\r\n');
  const [answer] = await once(socket, 'data').catch(() => ['']);
  socket.destroy();
  return String(answer);
}

it(
  'LOADING: it is there and knows nothing yet',
  async () => {
    for (let i = 0; i < 200; i++) await redis().admin.set(`filler:${i}`, Buffer.alloc(2_000, i));
    // As a snapshot, which is loaded key by key.
    await redis().admin.call('BGREWRITEAOF');
    const done = /aof_rewrite_in_progress:0[\s\S]*aof_rewrite_scheduled:0/;
    await until(async () => done.test(await redis().admin.info('persistence')));
    await redis().restart({ ready: false });
    await until(async () => (await ping()).startsWith('-LOADING'));
    expect(await causeOf('a', 'asked-while-loading')).toEqual([503, expect.stringMatching(/^log-/)]);
    expect(await ping()).toMatch(/^-LOADING/);
    await answered(all(), 'before', 'revoked');
    await redis().admin.ping();
    await fresh(all(), BACK_WITHIN_SECONDS);
    await acknowledged(gatewayOf('b'), 'asked-while-loading');
  },
  TIMEOUT_MS,
);

it(
  'READONLY: demoted, it is followed by nobody',
  async () => {
    await redis().admin.replicaof('127.0.0.1', 1);
    const brokenMs = performance.now();
    expect(await causeOf('a', 'asked-of-a-replica')).toEqual([
      503,
      expect.stringMatching(/^log-(refused|unr)/),
    ]);
    await staleSince(brokenMs);
    await redis().admin.replicaof('NO', 'ONE');
    await fresh(all(), BACK_WITHIN_SECONDS);
    await acknowledged(gatewayOf('b'), 'asked-of-a-replica');
  },
  TIMEOUT_MS,
);

it(
  'OOM: nothing is promised, and everything known stays fresh',
  async () => {
    await redis().admin.config('SET', 'maxmemory', '1');
    for (const name of fleet.keys())
      expect(await causeOf(name, 'asked-without-memory')).toEqual([503, 'log-refused']);
    await sleep(1_000);
    await fresh(all(), 1);
    await answered(all(), 'asked-without-memory', 'ok');
    await redis().admin.config('SET', 'maxmemory', '0');
    await acknowledged(gatewayOf('b'), 'asked-without-memory');
  },
  TIMEOUT_MS,
);

it(
  'MISCONF: its disk is full, nothing is promised, and everything known stays fresh',
  async () => {
    disk.fill(redis().pid());
    // What still fits into the last page of its file is promised; then Redis notices, and refuses.
    await until(async () => String(await causeOf('a', `filling-${performance.now()}`)) === '503,log-refused');
    expect(gatewayOf('a').stderr() + gatewayOf('b').stderr()).toContain('MISCONF');
    await sleep(1_000);
    await fresh(all(), 1);
    await answered(all(), 'before', 'revoked');
    disk.makeRoom(redis().pid());
    await acknowledged(gatewayOf('b'), 'asked-on-a-full-disk');
  },
  TIMEOUT_MS,
);

it('the history of all of it holds', async ({ annotate }) => {
  await annotate(JSON.stringify(await judged('redis-outages', recording, fleet, redis())));
}, 120_000);
