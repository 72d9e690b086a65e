/**
 * Part `start`: how soon a gateway answers against a large log: one that has its copy and its filter's file, and a
 * brand-new one that has neither and takes the filter's snapshot from Redis.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RedisServer, startRedis } from '../../process/redis-server.ts';
import { median, significant } from '../../statistics.ts';
import type { Row } from '../../suite.ts';
import type { Built } from './built.ts';
import { type Bulk, copyData, linkLog } from './bulk-load.ts';
import { theoryBytes } from './filter-theory.ts';
import { publishSnapshot } from './publish-snapshot.ts';
import { type PartResult, rowOf } from './rows.ts';
import {
  isFollowing,
  readiness,
  type SharedGateway,
  type SharedGatewayOptions,
  scrape,
  startSharedGateway,
  verdictOf,
} from './shared-gateway.ts';

export interface StartOptions {
  readonly built: Built;
  readonly bulk: Bulk;
  readonly runDir: string;
  readonly rounds: number;
  readonly filter: { readonly capacity: number; readonly falsePositiveRate: number };
  readonly trustListFile: string;
  /** Credentials of an unlisted card and of a card that the log calls revoked. */
  readonly good: string;
  readonly revoked: string;
  readonly say: (text: string) => void;
}

const BAR_SECONDS = 5;
const START_LIMIT_SECONDS = 90;
/** An exact copy of ten million entries takes minutes; beyond this its state is told as it stands. */
const CATCH_UP_LIMIT_MS = 120_000;

type Readiness = Awaited<ReturnType<typeof readiness>>;

export async function measureStarts(options: StartOptions): Promise<PartResult> {
  const { bulk, runDir, say } = options;
  const redisDir = join(runDir, 'redis');
  mkdirSync(redisDir, { recursive: true });
  linkLog(bulk, redisDir);
  const withCopy = join(runDir, 'with-copy');
  copyData(bulk, withCopy);
  say('start: Redis loads the log');
  const redis = await startRedis(redisDir);
  const running = new Set<SharedGateway>();
  try {
    await publishSnapshot(options.built, withCopy, redis, options.filter);
    return await measureAll(options, redis, running);
  } finally {
    await Promise.all([...running].map(({ server }) => server.stop()));
    await redis.stop();
    rmSync(redisDir, { recursive: true, force: true });
  }
}

async function measureAll(
  options: StartOptions,
  redis: RedisServer,
  running: Set<SharedGateway>,
): Promise<PartResult> {
  const { runDir, rounds, say } = options;
  const wrong: string[] = [];
  const start = async (dataDir: string) => {
    const gateway = await startSharedGateway(settingsOf(options, redis, dataDir));
    running.add(gateway);
    const ready = await readiness(gateway, options.good, START_LIMIT_SECONDS);
    wrong.push(...(await wrongAnswers(options, gateway, dataDir)));
    return { gateway, ready };
  };
  const end = async (gateway: SharedGateway) => {
    await gateway.server.stop();
    running.delete(gateway);
  };

  const restarted: Readiness[] = [];
  let first: SharedGateway | undefined;
  for (let round = 1; round <= rounds; round++) {
    say(`start: with a copy, round ${round} of ${rounds}`);
    if (first !== undefined) await end(first);
    const { gateway, ready } = await start(join(runDir, 'with-copy'));
    first = gateway;
    restarted.push(ready);
  }
  const memory = memoryRow(await scrape(first as SharedGateway), options);

  const brandNew: Readiness[] = [];
  for (let round = 1; round <= rounds; round++) {
    say(`start: brand new, round ${round} of ${rounds}`);
    const dataDir = join(runDir, `new-${round}`);
    const { gateway, ready } = await start(dataDir);
    brandNew.push(ready);
    if (round < rounds) {
      await end(gateway);
      rmSync(dataDir, { recursive: true, force: true });
      continue;
    }
    say('start: the last one reads its exact copy');
    const caughtUp = await catchUp(gateway);
    const rows = [
      ...rowsOf('brand-new gateway', brandNew),
      ...rowsOf('restarted gateway', restarted),
      caughtUp,
      memory,
    ];
    return { rows, facts: {}, warnings: [], wrong };
  }
  throw new Error('at least one round');
}

function settingsOf(
  { filter, trustListFile }: StartOptions,
  redis: RedisServer,
  dataDir: string,
): SharedGatewayOptions {
  return { dataDir, redisUrl: redis.url, trustListFile, filter };
}

/** A start that is quick because it forgot something is no start. */
async function wrongAnswers(
  options: StartOptions,
  gateway: SharedGateway,
  dataDir: string,
): Promise<string[]> {
  const expected = [
    ['ok', options.good],
    ['revoked', options.revoked],
  ] as const;
  const wrong: string[] = [];
  for (const [reason, credential] of expected) {
    const verdict = await verdictOf(gateway, credential);
    if (verdict.reason !== reason) wrong.push(`${dataDir}: ${verdict.reason} instead of ${reason}`);
  }
  return wrong;
}

async function catchUp(gateway: SharedGateway): Promise<Row> {
  const common = { part: 'start', unit: 's' };
  const sinceMs = () => performance.now() - gateway.executedMs;
  while (sinceMs() < CATCH_UP_LIMIT_MS) {
    if (await isFollowing(gateway)) {
      return rowOf({ ...common, what: 'brand-new gateway: its exact copy whole', value: sinceMs() / 1000 });
    }
    await sleep(500);
  }
  const entries = (await scrape(gateway)).get('vigie_revocation_entries{status="revoked"}') ?? 0;
  return rowOf({
    ...common,
    what: 'brand-new gateway: its exact copy not yet whole',
    value: sinceMs() / 1000,
    detail: `${entries} entries by then`,
    more: { entries },
  });
}

function rowsOf(who: string, rounds: readonly Readiness[]): Row[] {
  const inSeconds = (pick: (ready: Readiness) => number) => rounds.map((ready) => pick(ready) / 1000);
  const row = (what: string, seconds: readonly number[], bar?: number) =>
    rowOf({
      part: 'start',
      what: `${who}: ${what}`,
      value: median(seconds),
      unit: 's',
      ...(bar === undefined ? {} : { bar }),
      more: { rounds: seconds.map((value) => significant(value)) },
    });
  return [
    row(
      'ready line',
      inSeconds(({ announcedMs }) => announcedMs),
    ),
    row(
      '/readyz 200',
      inSeconds(({ readyzMs }) => readyzMs),
      BAR_SECONDS,
    ),
    row(
      'first fresh answer',
      inSeconds(({ freshMs }) => freshMs),
      BAR_SECONDS,
    ),
  ];
}

/** By the gateway's own account, against theory for the capacity that its filter has. */
function memoryRow(metrics: ReadonlyMap<string, number>, { filter }: StartOptions): Row {
  const capacity = metrics.get('vigie_filter_capacity_entries') ?? 0;
  const bytes = metrics.get('vigie_filter_memory_bytes') ?? 0;
  const theory = theoryBytes({ ...filter, capacity });
  return rowOf({
    part: 'start',
    what: "a gateway's filter against theory",
    value: Math.abs(bytes / theory - 1) * 100,
    unit: '% off',
    bar: 5,
    detail: `vigie_filter_memory_bytes ${bytes}`,
    more: { bytes, theoryBytes: Math.round(theory), capacity, entries: metrics.get('vigie_filter_entries') },
  });
}
