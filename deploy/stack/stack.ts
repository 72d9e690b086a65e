/** All of a deployment on this machine: two gateways, HAProxy, Redis with a replica and sentinels, Prometheus. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, freePorts, type Spawning } from './child.ts';
import { makeSecrets, secretOf } from './deploy-files.ts';
import { type GatewayPlace, startGateway, writeTrustList } from './gateway-process.ts';
import { startLoadBalancer } from './load-balancer.ts';
import { isScraped, startPrometheus } from './prometheus.ts';
import { canFailOver, isFollowed, primaryOf, startNode, startSentinel } from './redis-nodes.ts';

export interface Stack {
  readonly directory: string;
  readonly adminToken: string;
  readonly ports: {
    readonly verify: number;
    readonly admin: readonly [number, number];
    readonly prometheus: number;
    readonly loadBalancerMetrics: number;
  };
  /** kill -9, by its process id. */
  killGateway(index: 0 | 1): Promise<void>;
  /** Returns when it is ready. */
  restartGateway(index: 0 | 1): Promise<void>;
  /** The node that leads at first. */
  killPrimary(): Promise<void>;
  restartPrimary(): Promise<void>;
  /** Whether the sentinels have agreed on the other node. */
  hasFailedOver(): Promise<boolean>;
  /** Ends everything, newest first, and removes all files. */
  stop(): Promise<void>;
}

export interface StackOptions {
  readonly trustList: object;
  /** Prometheus's alerts wait for that part of their time. */
  readonly hurry: number;
  /** Given while it comes up, what has been started is ended; once it is up, `stop` is for that. */
  readonly signal?: AbortSignal;
}

/** Its processes by name, from the moment there is one, ready or not. */
interface Running {
  readonly children: Map<string, Child>;
  /** Nothing is started any more. */
  isOver: boolean;
}

const CONDITION_TIMEOUT_MS = 60_000;

/** @throws when a part does not start, or the signal comes first; what was started has then been ended. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const directory = mkdtempSync(join(tmpdir(), 'vigie-stack-'));
  const running: Running = { children: new Map(), isOver: false };
  const stop = async (): Promise<void> => {
    running.isOver = true;
    for (const child of [...running.children.values()].reverse()) await child.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  const bringing = bringUp(directory, options, running, stop);
  // Whoever gave the signal is not told how what was under way ended.
  bringing.catch(() => {});
  try {
    return await (options.signal === undefined
      ? bringing
      : Promise.race([bringing, abortionOf(options.signal)]));
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Never resolves. @throws once the signal is given */
async function abortionOf(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort');
  throw new Error('interrupted');
}

async function bringUp(
  directory: string,
  { trustList, hurry }: StackOptions,
  running: Running,
  stop: () => Promise<void>,
): Promise<Stack> {
  makeSecrets(directory);
  writeTrustList(directory, trustList);
  const ports = await freePorts(14);
  const [redisA, redisB, s1, s2, s3, verify, lbMetrics, prometheus] = ports as Eight;
  const [first, second] = [ports.slice(8, 11), ports.slice(11, 14)] as [Three, Three];
  const start = async (name: string, begin: (spawning: Spawning) => Promise<Child>): Promise<void> => {
    if (running.isOver) throw new Error(`${name} is not started any more`);
    await begin({ onSpawn: (child) => running.children.set(name, child) });
  };
  const node = (name: string, port: number, replicaOf?: number) =>
    start(name, (spawning) => startNode({ directory, port, ...spawning }, name, replicaOf));
  await node('redis-a', redisA);
  await node('redis-b', redisB, redisA);
  await until('the replica', () => isFollowed({ directory, port: redisA }));
  const sentinels = [s1, s2, s3];
  for (const [i, port] of sentinels.entries()) {
    const name = `sentinel-${i}`;
    await start(name, (spawning) => startSentinel({ directory, port, ...spawning }, name, redisA));
  }
  await until('the sentinels', async () =>
    (await Promise.all(sentinels.map((port) => canFailOver({ directory, port })))).every(Boolean),
  );
  const places = [first, second].map((own, i): GatewayPlace => {
    return { name: `gateway-${'ab'[i]}`, directory, ports: own, sentinels };
  });
  const gateway = (index: 0 | 1) => {
    const place = places[index] as GatewayPlace;
    return start(place.name, (spawning) => startGateway({ ...place, ...spawning }));
  };
  await Promise.all([gateway(0), gateway(1)]);
  const gateways = [first[0], second[0]] as const;
  const balancer = { directory, port: verify, metricsPort: lbMetrics, gateways };
  await start('haproxy', (spawning) => startLoadBalancer({ ...balancer, ...spawning }));
  const scraped = { gatewayMetrics: [first[2], second[2]], loadBalancerMetrics: lbMetrics };
  const watcher = { directory, port: prometheus, ...scraped, hurry, intervalSeconds: 1 };
  await start('prometheus', (spawning) => startPrometheus({ ...watcher, ...spawning }));
  // From here on an alert is about what happens to the gateways, not about the beginning.
  await until('the first scrapes', () => isScraped(prometheus));
  const kill = async (name: string): Promise<void> => {
    const child = running.children.get(name) as Child;
    child.kill('SIGKILL');
    await child.ended;
  };
  return {
    directory,
    adminToken: secretOf(directory, 'admin_token'),
    ports: { verify, admin: [first[1], second[1]], prometheus, loadBalancerMetrics: lbMetrics },
    killGateway: (index) => kill((places[index] as GatewayPlace).name),
    restartGateway: gateway,
    killPrimary: () => kill('redis-a'),
    restartPrimary: () => node('redis-a', redisA),
    hasFailedOver: async () => {
      const said = sentinels.map((port) => primaryOf({ directory, port }).catch(() => 0));
      return (await Promise.all(said)).every((port) => port === redisB);
    },
    stop,
  };
}

type Three = [number, number, number];
type Eight = [...Three, ...Three, number, number];

/** @throws when it does not come about. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + CONDITION_TIMEOUT_MS;
  while (!(await holds().catch(() => false))) {
    if (performance.now() > deadlineMs) throw new Error(`waited for ${what} in vain`);
    await sleep(50);
  }
}
