/** Real Redis clusters for the tests: three primaries, and replicas of the one that owns the deployment's keys. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type RedisServer, type RedisServerOptions, startRedis, until } from './redis.ts';

export interface RedisCluster {
  /** Owns the slot in question, to begin with. */
  readonly owner: RedisServer;
  /** Of the owner. */
  readonly replicas: readonly RedisServer[];
  /** Primaries of other slots. */
  readonly others: readonly RedisServer[];
  readonly slot: number;
  /** Names all nodes but the owner, which has to be found. */
  readonly url: string;
  stop(): Promise<void>;
}

export interface RedisClusterOptions extends RedisServerOptions {
  readonly replicas?: number;
  /** After which a node counts as failed, and is failed over. */
  readonly nodeTimeoutMs?: number;
  readonly prefix?: string;
}

const SLOTS = 16_384;
const PRIMARIES = 3;

export async function startCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const { replicas: count = 1, nodeTimeoutMs = 1_000, prefix = 'vigie' } = options;
  const cluster = ['--cluster-enabled', 'yes', '--cluster-node-timeout', `${nodeTimeoutMs}`];
  // No replica leaves for a primary that has none.
  cluster.push('--cluster-migration-barrier', '100');
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always'];
  const args = [...cluster, ...durable, ...(options.args ?? [])];
  const nodes = await Promise.all(
    Array.from({ length: PRIMARIES + count }, () => startRedis({ ...options, args })),
  );
  const primaries = nodes.slice(0, PRIMARIES);
  const replicas = nodes.slice(PRIMARIES);
  for (const [i, { admin }] of primaries.entries()) {
    await admin.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
    await admin.call('CLUSTER', 'ADDSLOTS', ...slotsOf(i));
  }
  const [first] = primaries as [RedisServer, ...RedisServer[]];
  for (const { port } of nodes.slice(1)) await first.admin.call('CLUSTER', 'MEET', '127.0.0.1', port);
  await all(
    nodes,
    async ({ admin }) => field(await infoOf(admin), 'cluster_known_nodes') === `${nodes.length}`,
  );

  const slot = Number(await first.admin.call('CLUSTER', 'KEYSLOT', `{${prefix}}:log`));
  const owner = primaries.find((_, i) => slotsOf(i).includes(slot)) as RedisServer;
  const ownerId = String(await owner.admin.call('CLUSTER', 'MYID'));
  for (const { admin } of replicas) await admin.call('CLUSTER', 'REPLICATE', ownerId);
  await all(nodes, async ({ admin }) => field(await infoOf(admin), 'cluster_state') === 'ok');
  await all(replicas, async ({ admin }) =>
    (await admin.info('replication')).includes('master_link_status:up'),
  );
  const others = primaries.filter((node) => node !== owner);
  const hosts = [...others, ...replicas].map(({ port }) => `127.0.0.1:${port}`);
  return {
    owner,
    replicas,
    others,
    slot,
    url: `redis+cluster://${hosts.join(',')}`,
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}

/** Returns when so many replicas confirm writes at once; right after a restart a node refuses them for seconds. */
export async function confirming({ admin }: RedisServer, replicas = 1): Promise<void> {
  let confirmed = 0;
  await until(
    async () => {
      const written = await admin.set('{vigie}:confirmed', '', 'PX', 1_000).catch(() => undefined);
      confirmed = written === 'OK' && (await admin.wait(replicas, 100)) >= replicas ? confirmed + 1 : 0;
      return confirmed === 5;
    },
    'the replicas',
    30,
  );
}

/** Waits until this node has become a primary. */
export async function promoted({ admin }: RedisServer): Promise<void> {
  await until(async () => (await admin.info('replication')).includes('role:master'), 'the promotion', 20);
}

/** Gives the slot and what stands in it to another primary, as redis-cli does. */
export async function migrateSlot(slot: number, from: RedisServer, to: RedisServer): Promise<void> {
  const [source, target] = await Promise.all(
    [from, to].map(async ({ admin }) => String(await admin.call('CLUSTER', 'MYID'))),
  );
  await to.admin.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source as string);
  await from.admin.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target as string);
  for (;;) {
    const keys = (await from.admin.call('CLUSTER', 'GETKEYSINSLOT', slot, 1)) as string[];
    if (keys.length === 0) break;
    await from.admin.call('MIGRATE', '127.0.0.1', to.port, '', 0, 5_000, 'KEYS', ...keys);
    // So that whoever looks meanwhile sees each state between.
    await sleep(50);
  }
  for (const { admin } of [to, from]) await admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', target as string);
}

/** Of the primary of this number; Redis 6.2 takes no ranges. */
function slotsOf(primary: number): number[] {
  const from = Math.floor((primary * SLOTS) / PRIMARIES);
  const to = Math.floor(((primary + 1) * SLOTS) / PRIMARIES);
  return Array.from({ length: to - from }, (_, i) => from + i);
}

async function infoOf(admin: RedisServer['admin']): Promise<string> {
  return String(await admin.call('CLUSTER', 'INFO'));
}

function field(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1];
}

async function all(
  nodes: readonly RedisServer[],
  holds: (node: RedisServer) => Promise<boolean>,
): Promise<void> {
  await until(async () => (await Promise.all(nodes.map(holds))).every(Boolean), 'the cluster', 20);
}
