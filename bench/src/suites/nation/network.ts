/**
 * The nation in small: one or two gateways with a worker each, a real Redis with an append-only file between them, a
 * log that already holds revoked cards, and one trust list for all credentials that are shown.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Corpus, signCards } from '../../corpus/credentials.ts';
import type { Options } from '../../options.ts';
import { persist, type RedisServer, startRedis } from '../../process/redis-server.ts';
import { type Bulk, bulkJti, copyData, linkLog } from '../revocation/bulk-load.ts';
import { untilQuiet } from '../revocation/enforcement.ts';
import {
  isFollowing,
  readiness,
  type SharedGateway,
  startSharedGateway,
  verdictOf,
} from '../revocation/shared-gateway.ts';

export interface Card {
  readonly jti: string;
  readonly credential: string;
}

export interface NetworkSpec {
  readonly options: Options;
  readonly dir: string;
  readonly corpus: Corpus;
  readonly bulk: Bulk;
  readonly filter: { readonly capacity: number; readonly falsePositiveRate: number };
  readonly gateways: 1 | 2;
  /** Cards of which credentials are wanted beside those of the corpus. */
  readonly jtis?: readonly string[];
  readonly say: (text: string) => void;
}

export interface Network {
  readonly gateways: readonly SharedGateway[];
  readonly corpus: Corpus;
  readonly options: Options;
  /** Of the cards named; a card of the log, revoked long ago; one that never is. */
  readonly cards: readonly Card[];
  readonly revoked: string;
  readonly good: string;
  redis(): RedisServer;
  /** A Redis that has ended starts again where it was, with what it had written. */
  restartRedis(): Promise<void>;
  readonly say: (text: string) => void;
  /** Whether the audits that follow a start were over when the network was handed out. */
  readonly isQuiet: boolean;
  stop(): Promise<void>;
}

const START_LIMIT_SECONDS = 120;

export async function startNetwork(spec: NetworkSpec): Promise<Network> {
  const { options, dir, bulk, corpus, say } = spec;
  const redisDir = join(dir, 'redis');
  mkdirSync(redisDir, { recursive: true });
  linkLog(bulk, redisDir);
  const [revoked, ...cards] = signed(spec, dir);
  const good = firstLine(corpus.credentialsFile);
  say('a network starts');
  let redis = await startRedis(redisDir, [], options.generatorCore);
  const gateways: SharedGateway[] = [];
  const stop = async () => {
    await Promise.all(gateways.map(({ server }) => server.stop()));
    await redis.stop();
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await persist(redis);
    for (let i = 0; i < spec.gateways; i++) {
      const gateway = await startOne(spec, redis, i);
      gateways.push(gateway);
      await readiness(gateway, good, START_LIMIT_SECONDS);
      if (!(await isFollowing(gateway))) throw new Error('a gateway is fresh and does not follow the log');
      await expectReason(gateway, good, 'ok');
      await expectReason(gateway, (revoked as Card).credential, 'revoked');
    }
    const isQuiet = await untilQuiet(gateways.map(({ server }) => server.pid));
    const restartRedis = async () => {
      const port = Number(new URL(redis.url).port);
      // Told at its start, or Redis would begin with the snapshot and without what was appended.
      redis = await startRedis(redisDir, ['--appendonly', 'yes'], options.generatorCore, port);
    };
    const common = { gateways, corpus, options, cards, good, isQuiet, say, stop, restartRedis };
    return { ...common, revoked: (revoked as Card).credential, redis: () => redis };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The first has the server's core; the second shares the other one with Redis and the generator. */
export function coreOf({ serverCore, generatorCore }: Options, gateway: number): number {
  return gateway === 0 ? serverCore : generatorCore;
}

/** With a copy of what the log holds: a gateway that has been part of the network for long. */
async function startOne(spec: NetworkSpec, redis: RedisServer, index: number): Promise<SharedGateway> {
  const dataDir = join(spec.dir, `gateway-${index + 1}`);
  copyData(spec.bulk, dataDir);
  return startSharedGateway({
    dataDir,
    redisUrl: redis.url,
    trustListFile: join(spec.dir, 'trust-list.json'),
    filter: spec.filter,
    // The canary verifies every five seconds in production, too.
    env: { VIGIE_ENGINE: spec.options.engine, VIGIE_CANARY: 'auto' },
    cores: [coreOf(spec.options, index)],
  });
}

/** Credentials of a card that the log calls revoked and of those named; the corpus's issuer gets their key besides. */
function signed({ corpus, jtis = [] }: NetworkSpec, dir: string): Card[] {
  const all = [bulkJti(1), ...jtis];
  const { credentials, trustList } = signCards(all);
  const lists = [JSON.parse(readFileSync(corpus.trustListFile, 'utf8')), trustList] as TrustList[];
  const [issuer] = (lists[0] as TrustList).issuers;
  const keys = lists.flatMap(({ issuers }) => issuers.flatMap((one) => one.keys));
  writeFileSync(join(dir, 'trust-list.json'), JSON.stringify({ version: 1, issuers: [{ ...issuer, keys }] }));
  return all.map((jti, i) => ({ jti, credential: credentials[i] as string }));
}

interface TrustList {
  readonly issuers: readonly { readonly keys: readonly object[] }[];
}

function firstLine(file: string): string {
  const text = readFileSync(file, 'utf8');
  return text.slice(0, text.indexOf('\n'));
}

/** A network that answers wrongly before any load is none. */
async function expectReason(gateway: SharedGateway, credential: string, expected: string): Promise<void> {
  const { reason } = await verdictOf(gateway, credential);
  if (reason !== expected) throw new Error(`a gateway answers ${reason} instead of ${expected}`);
}
