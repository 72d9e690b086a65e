/**
 * What can go wrong in a simulated run. Each fault happens at once; what lasts ends after a while drawn here,
 * and says so. `disturbs` names the gateways that cannot be counted on from its beginning to its end.
 */
import type { HashedEntry } from '../../src/revocation/shared/shared-log.ts';
import { encodeEntry } from '../../src/revocation/status-entry.ts';
import { hashOf } from './model-cards.ts';
import type { Cluster } from './model-cluster.ts';
import type { Gateway } from './model-gateway.ts';
import { copyData, emptyData, lifeOf, type ServerData } from './model-server.ts';
import type { Scheduler } from './scheduler.ts';

export interface World {
  readonly scheduler: Scheduler;
  readonly cluster: Cluster;
  readonly gateways: readonly Gateway[];
  readonly cards: readonly string[];
  /** Older states of the log, newest last. */
  readonly backups: ServerData[];
  /** Entries that rotted on some disk, as they were. */
  readonly rotted: HashedEntry[];
  trace(line: string): void;
  /** Runs `end` after `ms`; until then these gateways are disturbed. */
  lasting(ms: number, disturbed: readonly Gateway[], end: () => void): void;
}

type Fault = (world: World) => void;

export const FAULTS: Readonly<Record<string, Fault>> = {
  'gateway killed': (world) => {
    const gateway = world.scheduler.pick(world.gateways);
    gateway.kill();
    world.lasting(downMs(world), [gateway], () => gateway.start());
  },
  'gateway killed in a write': (world) => {
    const gateway = world.scheduler.pick(world.gateways);
    gateway.disk.dieAt = world.scheduler.chance(0.5) ? 'before' : 'after';
    world.lasting(downMs(world), [gateway], () => {
      gateway.kill();
      gateway.start();
    });
  },
  'disk full': (world) => {
    const gateway = world.scheduler.pick(world.gateways);
    gateway.disk.failing = true;
    world.lasting(downMs(world), [gateway], () => {
      gateway.disk.failing = false;
    });
  },
  'link down': (world) => disturbLink(world, { up: false }),
  'link loses': (world) => disturbLink(world, { loss: 0.1 + world.scheduler.random() * 0.5 }),
  'link slow': (world) => disturbLink(world, { slowMs: 50 + world.scheduler.random() * 800 }),
  'clock set': (world) => {
    world.scheduler.pick(world.gateways).wallSkewMs = (world.scheduler.random() - 0.5) * 7_200_000;
  },
  'entry of a copy rots': (world) => {
    const { disk } = world.scheduler.pick(world.gateways);
    const names = [...disk.entries.keys()];
    if (names.length === 0) return;
    const name = world.scheduler.pick(names);
    const { hash, entry } = disk.entries.get(name) as { hash: Buffer; entry: Buffer };
    if (entry.length === 0) return;
    world.rotted.push({ hash, entry });
    disk.entries.set(name, { hash, entry: flipped(world, entry) });
  },
  'server restarts': (world) => restart(world, (data) => data),
  'server restarts empty': (world) => restart(world, () => emptyData()),
  'server restored': (world) =>
    restart(world, (data) => copyData(world.backups.length > 0 ? world.scheduler.pick(world.backups) : data)),
  'log wiped': ({ cluster }) => {
    cluster.primary.data = emptyData();
  },
  'head lost': ({ cluster }) => {
    cluster.primary.data.open = undefined;
    cluster.primary.data.founding = undefined;
  },
  'records trimmed': ({ cluster, scheduler }) => {
    cluster.primary.data.records.splice(0, scheduler.below(cluster.primary.data.records.length + 1));
  },
  'record lost': ({ cluster, scheduler }) => {
    cluster.primary.data.records.splice(scheduler.below(cluster.primary.data.records.length + 1), 1);
  },
  'replica lags': (world) => {
    const { primary } = world.cluster;
    primary.lagging = true;
    // Nobody can be told anything that lasts meanwhile; when it fails over, the servers' data is what counts.
    world.lasting(1_000 + world.scheduler.random() * 4_000, [], () => {
      primary.lagging = false;
    });
  },
  failover: (world) => failOver(world, 0),
  'failover, old primary still answers': (world) => {
    // Without replicas that confirm, nothing tells the old primary from the new: not to be run like that.
    if (world.cluster.waitsForReplica) failOver(world, 0.5);
  },
  'server refuses writes': (world) => {
    const { primary } = world.cluster;
    primary.readOnly = true;
    world.lasting(downMs(world), world.gateways, () => {
      primary.readOnly = false;
    });
  },
  'record forged': ({ cluster, scheduler, cards }) => {
    const { records } = cluster.primary.data;
    if (records.length === 0) return;
    const at = scheduler.below(records.length);
    const { seq } = records[at] as { seq: number };
    records[at] = { seq, ...forgery(scheduler, cards, seq) };
  },
  'stray record': ({ cluster, scheduler, cards }) => {
    const { open, records } = cluster.primary.data;
    const seq = (open?.seq ?? 0) + 1;
    if (open !== undefined) records.push({ seq, ...forgery(scheduler, cards, seq) });
  },
  'entry forged': ({ cluster, scheduler, cards }) => {
    const { data } = cluster.primary;
    const entry = forgery(scheduler, cards, scheduler.below(50));
    if (data.open !== undefined) lifeOf(data, data.open.epoch).set(entry.hash.toString('hex'), entry);
  },
  'entry of the log rots': (world) => {
    const { data } = world.cluster.primary;
    const life = data.open && lifeOf(data, data.open.epoch);
    if (life === undefined || life.size === 0) return;
    const name = world.scheduler.pick([...life.keys()]);
    const { hash, entry } = life.get(name) as { hash: Buffer; entry: Buffer };
    life.set(name, { hash, entry: flipped(world, entry) });
  },
  'entry of the log lost': ({ cluster, scheduler }) => {
    const { data } = cluster.primary;
    const life = data.open && lifeOf(data, data.open.epoch);
    if (life !== undefined && life.size > 0) life.delete(scheduler.pick([...life.keys()]));
  },
  'state forged': (world) => {
    const { open } = world.cluster.primary.data;
    if (open !== undefined) open.state = flipped(world, open.state);
  },
  'epoch forged': ({ cluster }) => {
    const { open } = cluster.primary.data;
    if (open !== undefined) open.epoch = Buffer.alloc(16, 0xff);
  },
  'answers forged': ({ cluster, scheduler }) => {
    const { answers } = cluster.primary.data;
    for (const name of answers.keys()) answers.set(name, scheduler.bytes(56));
  },
};

function downMs({ scheduler }: World): number {
  return scheduler.chance(0.7) ? scheduler.random() * 2_000 : 2_000 + scheduler.random() * 8_000;
}

function disturbLink(world: World, fault: Partial<{ up: boolean; loss: number; slowMs: number }>): void {
  const { link, ...gateway } = world.scheduler.pick(world.gateways);
  Object.assign(link, fault);
  const disturbed = world.gateways.filter(({ name }) => name === gateway.name);
  world.lasting(downMs(world), disturbed, () => Object.assign(link, { up: true, loss: 0, slowMs: 0 }));
}

/** Down for a while, then another process with the same or other data. */
function restart(world: World, next: (data: ServerData) => ServerData): void {
  const { cluster } = world;
  const old = cluster.primary;
  old.up = false;
  world.lasting(downMs(world) / 2, [], () => {
    if (cluster.primary === old) moveAll(world, next(old.data));
  });
}

/** The replica takes over, with what it has; gateways may go on talking to the old primary for a while. */
function failOver(world: World, stayingBehind: number): void {
  const { cluster, scheduler, gateways } = world;
  const old = cluster.primary;
  if (!old.up) return;
  const behind = gateways.filter(() => scheduler.chance(stayingBehind));
  old.cutOff = true;
  moveAll(world, old.replica, behind);
  if (behind.length === 0) return;
  world.lasting(downMs(world), behind, () => {
    for (const { link } of behind) link.server = cluster.primary;
  });
}

function moveAll({ cluster, gateways }: World, data: ServerData, except: readonly Gateway[] = []): void {
  cluster.primary = cluster.newServer(copyData(data));
  for (const gateway of gateways) {
    if (!except.includes(gateway)) gateway.link.server = cluster.primary;
  }
}

/** A revocation that nobody asked for, under a key that is not the deployment's. */
function forgery(scheduler: Scheduler, cards: readonly string[], seq: number) {
  const hash = hashOf(scheduler.pick(cards));
  const rest = { why: undefined, sinceMs: 1, expiresAt: Infinity, seq, extendsOnly: false };
  return { hash, entry: encodeEntry(new Uint8Array(32), hash, { status: 'revoked', ...rest }) };
}

function flipped({ scheduler }: World, bytes: Buffer): Buffer {
  const other = Buffer.from(bytes);
  const at = scheduler.below(other.length);
  other[at] = (other[at] as number) ^ (1 << scheduler.below(8));
  return other;
}
