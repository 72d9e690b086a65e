/**
 * Part `enforcement`: from a revocation's acknowledgement to its enforcement on three gateways, under load. What is
 * told of each revocation is the slowest gateway.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
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
const REVOCATIONS_PER_SECOND = 6;
const BAR_MS = 100;
const START_LIMIT_SECONDS = 120;
const LIMIT_SECONDS = 220;
/** A gateway that follows a log at rest takes some hundredths of a core. */
const QUIET_CORES = 0.15;
const QUIET_WINDOW_MS = 1_000;
const QUIET_LIMIT_MS = 60_000;
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
    const quiet = await untilQuiet(gateways.map(({ server }) => server.pid));
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
    const measured = resultOf(result, ticks);
    const warnings = quiet ? [] : ['the gateways were still auditing their copies'];
    return { ...measured, warnings: [...warnings, ...measured.warnings] };
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

/** Whether they came to do no more than follow the log: the audit after a start takes a large copy a minute. */
export async function untilQuiet(pids: readonly number[]): Promise<boolean> {
  const used = () => pids.map((pid) => readCpuTicks(pid) ?? 0);
  const perWindow = (clockTicksPerSecond() * QUIET_WINDOW_MS) / 1000;
  const deadlineMs = performance.now() + QUIET_LIMIT_MS;
  for (let before = used(); performance.now() < deadlineMs; ) {
    await sleep(QUIET_WINDOW_MS);
    const after = used();
    if (after.every((ticks, i) => ticks - (before[i] as number) < QUIET_CORES * perWindow)) return true;
    before = after;
  }
  return false;
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
