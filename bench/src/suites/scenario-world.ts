/** What the scenarios run against: a corpus signed for this run, a redis-server of its own, a gateway on it. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Options } from '../options.ts';
import { startRedis } from '../process/redis-server.ts';
import { type Gateway, startGateway } from '../process/targets.ts';
import { cardsToRevoke } from '../scenarios/catalogue.ts';
import { falsified, makeScenarioCorpus } from '../scenarios/corpus.ts';
import type { Scenario, ScenarioCorpus } from '../scenarios/plan.ts';

export interface World {
  readonly dir: string;
  readonly gateway: Gateway;
  readonly corpus: ScenarioCorpus;
  readonly corpusFile: string;
  /** The valid cards, or the cold ones, one a line, for the generator that knows no others. */
  readonly credentialsFile: string;
  readonly redisVersion: string;
  /** Absent where this process may not use it. */
  readonly generatorCore: number | undefined;
  /** The open-loop generator's, which has to have one: the same, or another that may be used. */
  readonly openLoopCore: number;
  stop(): Promise<void>;
}

const CHANGES_A_CALL = 1_000;
/** Of the 2,000 issuer keys 18 find room for the native engine's smallest tables. */
const COLD_KEY_CACHE_BYTES = 1024 * 1024;
const SETTLE_LIMIT_MS = 60_000;
const SETTLE_POLL_MS = 200;

export async function startScenarioWorld(
  options: Options,
  scenarios: readonly Scenario[],
  dir: string,
): Promise<World> {
  const churn = scenarios.reduce((sum, scenario) => sum + cardsToRevoke(scenario), 0);
  const hasColdKeys = scenarios.some(({ mix }) => mix.some(({ pool }) => pool === 'cold'));
  const { corpus, trustList, changes } = makeScenarioCorpus({ churn, hasColdKeys });
  const files = {
    corpusFile: join(dir, 'corpus.json'),
    trustListFile: join(dir, 'trust-list.json'),
    credentialsFile: join(dir, 'credentials.txt'),
  };
  writeFileSync(files.corpusFile, JSON.stringify(options.falsify ? falsified(corpus) : corpus));
  writeFileSync(files.trustListFile, JSON.stringify(trustList));
  const valid = hasColdKeys ? corpus.cold : corpus.good;
  writeFileSync(files.credentialsFile, valid.map(({ card }) => `${card?.credential}\n`).join(''));
  const allowed = allowedCores();
  const [serverCore, generatorCore] = [options.serverCore, options.generatorCore].map((core) =>
    allowed.includes(core) ? core : undefined,
  );
  const redis = await startRedis(dir, [], generatorCore);
  const stops = [redis.stop];
  // Redis last: a gateway that loses it says so, again and again.
  const stop = async () => {
    for (const end of stops.reverse()) await end();
  };
  try {
    const settings = {
      VIGIE_REDIS_URL: redis.url,
      ...(hasColdKeys && { VIGIE_KEY_CACHE_BYTES: String(COLD_KEY_CACHE_BYTES) }),
    };
    const gateway = await startOn(settings, options, serverCore, { dir, ...files });
    stops.push(gateway.server.stop);
    for (let from = 0; from < changes.length; from += CHANGES_A_CALL) {
      await change(gateway, changes.slice(from, from + CHANGES_A_CALL));
    }
    return {
      ...{ dir, gateway, corpus, ...files, generatorCore, stop },
      openLoopCore: generatorCore ?? (allowed.at(-1) as number),
      redisVersion: versionIn(await redis.ask('INFO', 'server')),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function versionIn(info: string): string {
  return /^redis_version:(.*)$/m.exec(info)?.[1]?.trim() ?? 'unknown';
}

async function startOn(
  settings: Readonly<Record<string, string>>,
  { engine }: Options,
  core: number | undefined,
  { dir, trustListFile }: { readonly dir: string; readonly trustListFile: string },
): Promise<Gateway> {
  const dataDir = join(dir, 'gateway');
  mkdirSync(dataDir, { mode: 0o700 });
  writeFileSync(join(dataDir, 'secret'), `${'5a'.repeat(32)}\n`, { mode: 0o600 });
  const spec = {
    engine,
    workers: 1,
    cores: core === undefined ? [] : [core],
    dataDir,
    settings,
  };
  return startGateway(spec, { trustListFile });
}

/**
 * The gateway has acknowledged it, and so enforces it, before any load begins. A log that was founded just now settles
 * first, and says 503 until then: the same call is repeated.
 */
async function change({ adminOrigin }: Gateway, changes: readonly object[]): Promise<void> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
  const deadlineMs = performance.now() + SETTLE_LIMIT_MS;
  for (;;) {
    const answer = await fetch(`${adminOrigin}/admin/v1/status-changes`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ changes }),
    });
    if (answer.status === 200) return;
    if (answer.status !== 503 || performance.now() > deadlineMs) {
      throw new Error(`the gateway answers status changes with ${answer.status}`);
    }
    await sleep(SETTLE_POLL_MS);
  }
}

/** Where containers have other cores, or one alone, nothing is pinned: verdicts are worth as much. */
function allowedCores(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, at) => first + at);
  });
}
