/**
 * Part `enforcement`: from a revocation's acknowledgement to its enforcement on three gateways, under load. What is
 * told of each revocation is the slowest gateway.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { sourceFile } from '../../paths.ts';
import { clockTicksPerSecond, readCpuTicks } from '../../process/cpu-time.ts';
import { runChild } from '../../process/measuring-child.ts';
import { persist, type RedisServer, startRedis } from '../../process/redis-server.ts';
import { significant } from '../../statistics.ts';
import { type Bulk, copyData, linkLog } from './bulk-load.ts';
import type { EnforcementResult, EnforcementTask } from './enforcement-child.ts';
import { type PartResult, percentile, rowOf } from './rows.ts';
import { isFollowing, readiness, type SharedGateway, startSharedGateway } from './shared-gateway.ts';

export interface EnforcementOptions {
  readonly bulk: Bulk;
  readonly runDir: string;
  readonly filter: { readonly capacity: number; readonly falsePositiveRate: number };
  readonly trustListFile: string;
  readonly good: readonly string[];
  readonly cards: EnforcementTask['cards'];
  readonly say: (text: string) => void;
}

const GATEWAYS = 3;
const VERIFIES_PER_SECOND = 2_000;
const REVOCATIONS_PER_SECOND = 5;
const BAR_MS = 100;
const START_LIMIT_SECONDS = 120;
const LIMIT_SECONDS = 220;
/** Below this share of the rate the load was not the one that the bar speaks of. */
const RATE_SHARE = 0.98;

export async function measureEnforcement(options: EnforcementOptions): Promise<PartResult> {
  const { bulk, runDir, say, good, cards } = options;
  const dir = join(runDir, 'enforcement');
  mkdirSync(join(dir, 'redis'), { recursive: true });
  linkLog(bulk, join(dir, 'redis'));
  say('enforcement: Redis loads the log');
  const redis = await startRedis(join(dir, 'redis'));
  const gateways: SharedGateway[] = [];
  try {
    await persist(redis);
    for (let i = 1; i <= GATEWAYS; i++) {
      const dataDir = join(dir, `gateway-${i}`);
      copyData(bulk, dataDir);
      gateways.push(await startFollowing(options, redis, dataDir));
    }
    say('enforcement: waiting until the audits of the copies are over');
    await Promise.all(gateways.map(({ server }) => server.untilIdle()));
    const [first] = gateways as [SharedGateway];
    const portOf = (url: string) => Number(new URL(url).port);
    const task: EnforcementTask = {
      dataPorts: gateways.map(({ data }) => portOf(data)),
      adminPort: portOf(first.admin),
      good,
      cards,
      verifiesPerSecond: VERIFIES_PER_SECOND,
      revocationsPerSecond: REVOCATIONS_PER_SECOND,
    };
    say(`enforcement: ${cards.length} revocations under load`);
    const pids = [...gateways.map(({ server }) => server.pid), redis.pid];
    const before = pids.map((pid) => readCpuTicks(pid) ?? 0);
    const file = sourceFile('suites', 'revocation', 'enforcement-child.ts');
    const child = { file, task, core: undefined, limitSeconds: LIMIT_SECONDS };
    const result = (await runChild(child)) as EnforcementResult;
    const ticks = pids.map((pid, i) => (readCpuTicks(pid) ?? 0) - (before[i] as number));
    return resultOf(result, ticks);
  } finally {
    await Promise.all(gateways.map(({ server }) => server.stop()));
    await redis.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function startFollowing(
  { filter, trustListFile, good }: EnforcementOptions,
  redis: RedisServer,
  dataDir: string,
): Promise<SharedGateway> {
  const gateway = await startSharedGateway({ dataDir, redisUrl: redis.url, trustListFile, filter });
  try {
    await readiness(gateway, good[0] as string, START_LIMIT_SECONDS);
    if (!(await isFollowing(gateway))) throw new Error('a gateway is fresh and does not follow the log');
    return gateway;
  } catch (error) {
    await gateway.server.stop();
    throw error;
  }
}

function resultOf(result: EnforcementResult, ticks: readonly number[]): PartResult {
  const { enforcements, seconds } = result;
  if (enforcements.length === 0) return { rows: [], facts: {}, warnings: [], wrong: result.wrong };
  const slowest = enforcements.map(({ enforcedMs }) => Math.max(...enforcedMs));
  const acknowledged = enforcements.map(({ acknowledgedMs }) => acknowledgedMs);
  const resolutions = enforcements.flatMap(({ resolutionMs }) => resolutionMs);
  const perSecond = clockTicksPerSecond() * seconds;
  const serverCores = ticks.map((used) => significant(used / perSecond, 3));
  const rates = result.perSecond.map((rate) => Math.round(rate));
  const generatorCores = significant(result.generatorCores, 3);
  const common = { part: 'enforcement', unit: 'ms' };
  const byGateway = result.perSecond.map((_, i) =>
    significant(
      percentile(
        enforcements.map(({ enforcedMs }) => enforcedMs[i] as number),
        0.99,
      ),
      3,
    ),
  );
  const rows = [
    rowOf({
      ...common,
      what: 'acknowledged to enforced on three gateways, p99',
      value: percentile(slowest, 0.99),
      bar: BAR_MS,
      detail: `${enforcements.length} revocations, ${rates.join(' ')} verifies/s`,
      more: { revocations: enforcements.length, verifiesPerSecond: rates, p99MsByGateway: byGateway },
    }),
    rowOf({ ...common, what: 'the same, p50', value: percentile(slowest, 0.5) }),
    rowOf({ ...common, what: 'the same, maximum', value: Math.max(...slowest) }),
    rowOf({
      ...common,
      what: 'sent to acknowledged, p50',
      value: percentile(acknowledged, 0.5),
      more: { p99: significant(percentile(acknowledged, 0.99)) },
    }),
    rowOf({
      ...common,
      what: 'resolution of these figures, p99',
      value: percentile(resolutions, 0.99),
      detail: `generator ${generatorCores}, gateways and Redis ${serverCores.join(' ')} cores`,
      more: {
        generatorCores,
        serverCores,
        latestBurstMs: significant(result.latestMs),
        mostWaiting: result.mostWaiting,
        seconds: significant(seconds),
      },
    }),
  ];
  const slow = rates.some((rate) => rate < VERIFIES_PER_SECOND * RATE_SHARE);
  const warnings = slow ? [`the gateways were given ${rates.join(', ')} verifies/s, not 2,000 each`] : [];
  return { rows, facts: {}, warnings, wrong: result.wrong };
}
