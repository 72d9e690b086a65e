/** Redis as it is deployed: nodes and sentinels started by deploy/redis/start.sh with the files beside it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type Child, type Spawning, startChild } from './child.ts';
import { DEPLOY, secretOf } from './deploy-files.ts';

export interface RedisPlace extends Spawning {
  /** Has `secrets/` in it, and gets a directory for each process. */
  readonly directory: string;
  readonly port: number;
  /** Default redis-server. */
  readonly program?: string;
}

const START = join(DEPLOY, 'redis', 'start.sh');

/** A node of the log. What it keeps stays, so that the same call starts it again where it was. */
export function startNode(place: RedisPlace, name: string, replicaOf?: number): Promise<Child> {
  const env = replicaOf === undefined ? {} : { REPLICA_OF: `127.0.0.1 ${replicaOf}` };
  const isReady = () => answers(place.port, { username: 'health', password: 'none' });
  return start(place, name, 'node', env, isReady);
}

export function startSentinel(place: RedisPlace, name: string, primary: number): Promise<Child> {
  const password = secretOf(place.directory, 'redis_sentinel_password');
  const isReady = () => answers(place.port, { password });
  return start(place, name, 'sentinel', { PRIMARY: `127.0.0.1 ${primary}` }, isReady);
}

/** Whether this many replicas follow the node, as it says itself. */
export async function isFollowed({ directory, port }: RedisPlace, replicas = 1): Promise<boolean> {
  const info = await asking(port, gatewayUser(directory), (client) => client.info('replication'));
  return info.includes('role:master') && (info.match(/state=online/g) ?? []).length >= replicas;
}

export function gatewayUser(directory: string): { username: string; password: string } {
  return { username: 'vigie', password: secretOf(directory, 'redis_vigie_password') };
}

/** Who leads, by this sentinel; a port of this machine. */
export async function primaryOf({ directory, port }: RedisPlace): Promise<number> {
  const password = secretOf(directory, 'redis_sentinel_password');
  const address = await asking(port, { password }, (client) =>
    client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'vigie'),
  );
  return Number((address as string[])[1]);
}

/** Whether the sentinel knows of the replica that it would promote, and of the others that it needs. */
export async function canFailOver({ directory, port }: RedisPlace, sentinels = 3): Promise<boolean> {
  const password = secretOf(directory, 'redis_sentinel_password');
  const answer = await asking(port, { password }, (client) => client.call('SENTINEL', 'MASTER', 'vigie'));
  const fields = answer as string[];
  const field = (name: string) => Number(fields[fields.indexOf(name) + 1]);
  return field('num-slaves') >= 1 && field('num-other-sentinels') >= sentinels - 1;
}

function start(
  { directory, port, program = 'redis-server', onSpawn }: RedisPlace,
  name: string,
  what: 'node' | 'sentinel',
  env: Readonly<Record<string, string>>,
  isReady: () => Promise<boolean>,
): Promise<Child> {
  const data = join(directory, name);
  mkdirSync(data, { recursive: true, mode: 0o700 });
  return startChild({
    name,
    program: '/bin/sh',
    args: [START, what],
    env: {
      REDIS_DATA: data,
      REDIS_SECRETS: join(directory, 'secrets'),
      REDIS_BIND: '127.0.0.1',
      REDIS_PORT: `${port}`,
      REDIS_SERVER: program,
      ...env,
    },
    logFile: join(directory, `${name}.log`),
    isReady,
    onSpawn,
  });
}

async function answers(port: number, user: User): Promise<boolean> {
  return (await asking(port, user, (client) => client.ping())) === 'PONG';
}

interface User {
  readonly username?: string;
  readonly password: string;
}

const ASK_TIMEOUT_MS = 2_000;

/** One question on a connection of its own. */
async function asking<T>(port: number, user: User, ask: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis({
    host: '127.0.0.1',
    port,
    ...user,
    lazyConnect: true,
    enableReadyCheck: false,
    disableClientInfo: true,
    retryStrategy: () => null,
    connectTimeout: ASK_TIMEOUT_MS,
    commandTimeout: ASK_TIMEOUT_MS,
  });
  // What is wrong is told by the command's own failure.
  client.on('error', () => {});
  try {
    await client.connect();
    return await ask(client);
  } finally {
    client.disconnect();
  }
}
