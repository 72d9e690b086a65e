/** Redis by the deployment's own files: who may do what, what is kept, and roles that outlive a failover and a restart. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis, type RedisOptions } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Child, freePorts } from '../../../deploy/stack/child.ts';
import { DEPLOY, makeSecrets, secretOf } from '../../../deploy/stack/deploy-files.ts';
import {
  canFailOver,
  isFollowed,
  primaryOf,
  startNode,
  startSentinel,
} from '../../../deploy/stack/redis-nodes.ts';

const TIMEOUT_MS = 120_000;

let directory: string;
let nodeA: Child;
let nodeB: Child;
let ports: [number, number];
let sentinelPorts: number[];
const sentinels: Child[] = [];
const clients: Redis[] = [];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'vigie-redis-files-'));
  makeSecrets(directory);
  const [a, b, ...others] = (await freePorts(5)) as [number, number, ...number[]];
  ports = [a, b];
  sentinelPorts = others;
  nodeA = await startNode({ directory, port: a }, 'a');
  nodeB = await startNode({ directory, port: b }, 'b', a);
  for (const [i, port] of others.entries()) {
    sentinels.push(await startSentinel({ directory, port }, `sentinel-${i}`, a));
  }
}, TIMEOUT_MS);

afterAll(async () => {
  for (const client of clients) client.disconnect();
  await Promise.all([...sentinels, nodeA, nodeB].map((child) => child?.stop()));
  rmSync(directory, { recursive: true, force: true });
});

function client(port: number, user: Pick<RedisOptions, 'username' | 'password'>): Redis {
  const connected = new Redis({
    host: '127.0.0.1',
    port,
    enableReadyCheck: false,
    disableClientInfo: true,
    ...user,
  });
  connected.on('error', () => {});
  clients.push(connected);
  return connected;
}

const vigie = (port: number) =>
  client(port, { username: 'vigie', password: secretOf(directory, 'redis_vigie_password') });

it('the gateways may work on the log, and on nothing else', async () => {
  const log = vigie(ports[0]);
  expect(await log.set('{vigie}:x', '1')).toBe('OK');
  await expect(log.set('other', '1')).rejects.toThrow('NOPERM');
  for (const command of [
    ['flushall'],
    ['config', 'get', '*'],
    ['keys', '*'],
    ['replicaof', 'no', 'one'],
    ['acl', 'list'],
  ]) {
    await expect(log.call(...(command as [string])), command.join(' ')).rejects.toThrow('NOPERM');
  }
  await expect(client(ports[0], {}).ping()).rejects.toThrow('NOAUTH');
  const health = client(ports[0], { username: 'health', password: 'none' });
  expect(await health.ping()).toBe('PONG');
  await expect(health.get('{vigie}:x')).rejects.toThrow('NOPERM');
});

it('an operator may look, and neither read nor change what is there', async () => {
  await vigie(ports[0]).set('{vigie}:seen', '1');
  const password = secretOf(directory, 'redis_operator_password');
  const operator = client(ports[0], { username: 'operator', password });
  const look = (...command: string[]) => operator.call(...(command as [string]));
  expect(await look('info', 'memory')).toContain('maxmemory:3221225472');
  expect(await look('config', 'get', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
  expect(await look('client', 'list')).toContain('user=operator');
  expect(await look('ping')).toBe('PONG');
  for (const list of [
    ['slowlog', 'get'],
    ['latency', 'latest'],
    ['acl', 'log'],
  ]) {
    expect(Array.isArray(await look(...list)), list.join(' ')).toBe(true);
  }
  for (const command of [
    ['get', '{vigie}:seen'],
    ['scan', '0'],
    ['config', 'set', 'maxmemory', '0'],
    ['client', 'kill', 'type', 'normal'],
    ['acl', 'setuser', 'operator', '+@all'],
    ['slowlog', 'reset'],
    ['psync', '?', '-1'],
    ['monitor'],
  ]) {
    await expect(look(...command), command.join(' ')).rejects.toThrow('NOPERM');
  }
});

it.each([
  ['a sign that sed reads', 'a/b\n'],
  ['nothing', ''],
])('a password of %s is refused by name, before anything starts', (_what, text) => {
  const world = mkdtempSync(join(tmpdir(), 'vigie-redis-password-'));
  makeSecrets(world);
  const file = join(world, 'secrets', 'redis_operator_password');
  rmSync(file);
  writeFileSync(file, text);
  const env = {
    ...process.env,
    REDIS_DATA: world,
    REDIS_SECRETS: join(world, 'secrets'),
    REDIS_SERVER: 'true',
  };
  const { status, stderr } = spawnSync('/bin/sh', [join(DEPLOY, 'redis', 'start.sh'), 'node'], { env });
  expect(status).not.toBe(0);
  expect(String(stderr)).toContain('redis_operator_password has to be of letters and digits');
  expect(readdirSync(world)).toEqual(['secrets']);
  rmSync(world, { recursive: true, force: true });
});

it("its user is the one that docs/redis.md gives, and every user's password is a file", () => {
  const documented = readFileSync(join(DEPLOY, '..', 'docs', 'redis.md'), 'utf8');
  const [, rights] = /^ACL SETUSER vigie on (.*) ><password>$/m.exec(documented) ?? [];
  const acl = readFileSync(join(DEPLOY, 'redis', 'users.acl'), 'utf8');
  const [, given] = /^user vigie on #<vigie-password> (.*)$/m.exec(acl) ?? [];
  expect(given).toBe(rights);
  expect(readFileSync(join(directory, 'a', 'users.acl'), 'utf8')).not.toMatch(/<|>/);
});

it('nothing is evicted, and what was written is kept', async () => {
  const info = await vigie(ports[0]).info();
  expect(info).toMatch(/^aof_enabled:1\r$/m);
  expect(info).toMatch(/^maxmemory_policy:noeviction\r$/m);
  expect(info).not.toMatch(/^maxmemory:0\r$/m);
});

it(
  'a killed primary is replaced within seconds, comes back as a replica, and all know it after a restart too',
  async () => {
    const [a, b] = ports;
    const places = sentinelPorts.map((port) => ({ directory, port }));
    const all = async (holds: (place: (typeof places)[number]) => Promise<boolean>) =>
      (await Promise.all(places.map((place) => holds(place).catch(() => false)))).every(Boolean);
    const wait = { timeout: 40_000 };
    await expect.poll(() => isFollowed({ directory, port: a }), wait).toBe(true);
    await expect.poll(() => all(canFailOver), wait).toBe(true);
    const before = vigie(a);
    await before.set('{vigie}:acknowledged', 'yes');
    expect(await before.wait(1, 5_000)).toBe(1);
    nodeA.kill('SIGKILL');
    await nodeA.ended;
    await expect.poll(() => all(async (place) => (await primaryOf(place)) === b), wait).toBe(true);
    expect(await vigie(b).get('{vigie}:acknowledged')).toBe('yes');
    // Its configuration says that it leads; the sentinels see to it that it does not.
    nodeA = await startNode({ directory, port: a }, 'a');
    await expect.poll(() => isFollowed({ directory, port: b }), wait).toBe(true);
    // Both are told to start as at first: what Sentinel has written since counts.
    const configuration = (name: string) => readFileSync(join(directory, name, 'node.conf'), 'utf8');
    expect(configuration('a')).toContain(`replicaof 127.0.0.1 ${b}`);
    expect(configuration('b')).not.toContain('replicaof');
    await Promise.all([nodeA.stop(), nodeB.stop()]);
    // A new password for one another is in force from then on.
    const file = join(directory, 'secrets', 'redis_replication_password');
    rmSync(file);
    writeFileSync(file, `${'5a'.repeat(32)}\n`);
    nodeB = await startNode({ directory, port: b }, 'b', a);
    nodeA = await startNode({ directory, port: a }, 'a');
    // On a busy machine they may have been away for so long that the sentinels have changed their minds.
    const leader = async () => {
      const [port = 0] = await Promise.all(places.map(primaryOf));
      return (await isFollowed({ directory, port })) ? port : 0;
    };
    await expect.poll(() => leader().catch(() => 0), wait).toBeGreaterThan(0);
    expect(await vigie(await leader()).get('{vigie}:acknowledged')).toBe('yes');
  },
  TIMEOUT_MS,
);
