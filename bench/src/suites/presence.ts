/**
 * Suite `presence`: credentials shown with their holders' proofs, each proof once: in batches with a gateway's own guard
 * and with a Redis beside it, and alone beside a server that does nothing with the same requests.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Corpus, prepareCorpus } from '../corpus/credentials.ts';
import { type PresentationRequests, presentationsOf, signRequests } from '../corpus/presentation-requests.ts';
import { requireGenerator } from '../load/run-load.ts';
import { type Options, UsageError } from '../options.ts';
import { CACHE_DIR } from '../paths.ts';
import { clockTicksPerSecond } from '../process/cpu-time.ts';
import { requirePackage } from '../process/programs.ts';
import { type RedisServer, startRedis } from '../process/redis-server.ts';
import { engineOf, type Gateway, startGateway, startPeer, type Target } from '../process/targets.ts';
import type { Suite, SuiteResult } from '../suite.ts';
import { conditionResult } from './conditions.ts';
import { servable } from './http-cells.ts';
import { judgeBars, warningsAbout, warnOfFew, wrongsIn } from './presence-bars.ts';
import { type PresenceCell, presenceCells, requestsOf, rowOf, type ServerName } from './presence-cells.ts';
import { probePresentations } from './presence-probes.ts';
import { measureRounds } from './rounds.ts';
import { otherVerdicts, reasonsOf } from './verdict-counts.ts';

/** The widest there is: signing for a round takes a while, and proofs must still hold at its end. */
const WINDOW_SECONDS = 600;
/** The warm-up and the check round use up proofs as well. */
const ROUNDS_BESIDES = 2;
const PROBED = 100;
/** What VIGIE_REPLAY_ENTRIES takes. */
const MOST_REMEMBERED = 12_000_000;

/** How long a measurement takes, unless `--seconds` says otherwise. */
const DEFAULT_SECONDS = 5;

export const presenceSuite: Suite = {
  name: 'presence',
  summary:
    'credentials with holder proofs on one core: batches of 1,000 without and with Redis, single calls beside an empty handler',
  run,
};

const say = (text: string): void => console.error(`bench: ${text}`);

interface Servers extends Readonly<Record<ServerName, Target>> {
  readonly local: Gateway;
  readonly redis: Gateway;
  readonly redisServer: RedisServer;
}

async function run(options: Options): Promise<SuiteResult> {
  if (options.generator !== 'wrk')
    throw new UsageError('presence: --generator wrk alone ends with its requests');
  const remembered = proofsOf(options);
  requireGenerator(options.generator);
  requirePackage('redis-server');
  const corpus = prepareCorpus(CACHE_DIR, options.credentials, say, 'held-credentials');
  const dir = mkdtempSync(join(tmpdir(), 'vigie-bench-'));
  const removeData = () => rmSync(dir, { recursive: true, force: true });
  process.once('exit', removeData);
  const stops: (() => Promise<void>)[] = [];
  try {
    const servers = await startServers(options, corpus, { dir, remembered, stops });
    return await measure(servers, options, corpus, { dir, remembered });
  } finally {
    // Redis last: a gateway that loses it says so.
    for (const stop of stops.reverse()) await stop();
    process.off('exit', removeData);
    removeData();
  }
}

/** How many proofs a gateway takes in the whole run: none of them is to be forgotten. */
function proofsOf({ credentials, rounds }: Options): number {
  const { inBatches, alone } = presentationsOf({ credentials });
  const proofs = (rounds + ROUNDS_BESIDES) * (inBatches + alone) + PROBED;
  if (proofs <= MOST_REMEMBERED) return proofs;
  throw new UsageError(
    `presence: so many rounds of so many credentials are more than ${MOST_REMEMBERED} proofs`,
  );
}

/** Two gateways that know nothing of one another, so that both may be shown the same, and what they are measured with. */
async function startServers(
  { engine, serverCore, generatorCore }: Options,
  corpus: Corpus,
  { dir, remembered, stops }: { dir: string; remembered: number; stops: (() => Promise<void>)[] },
): Promise<Servers> {
  const redisServer = await startRedis(dir, [], generatorCore);
  stops.push(redisServer.stop);
  const gateway = async (name: string, settings: Readonly<Record<string, string>>): Promise<Gateway> => {
    const dataDir = join(dir, name);
    mkdirSync(dataDir, { mode: 0o700 });
    // Made by the gateway itself where it stands alone; with Redis it must be there.
    writeFileSync(join(dataDir, 'secret'), `${'5a'.repeat(32)}\n`, { mode: 0o600 });
    const common = {
      VIGIE_PROOF_WINDOW: String(WINDOW_SECONDS),
      VIGIE_REPLAY_ENTRIES: String(remembered),
    };
    const spec = { engine, workers: 1, cores: [serverCore], dataDir, settings: { ...common, ...settings } };
    const started = await startGateway(spec, corpus);
    stops.push(started.server.stop);
    return started;
  };
  const local = await gateway('local', {});
  const redis = await gateway('redis', { VIGIE_REDIS_URL: redisServer.url });
  const empty = await startPeer('empty-uws', serverCore);
  stops.push(empty.server.stop);
  return { local, redis, empty, redisServer };
}

async function measure(
  servers: Servers,
  options: Options,
  corpus: Corpus,
  { dir, remembered }: { dir: string; remembered: number },
): Promise<SuiteResult> {
  const { local, redis, redisServer } = servers;
  const engine = await engineOf(local.metricsUrl);
  const gateways = [local, redis];
  for (const gateway of gateways) await probePresentations(gateway, corpus, WINDOW_SECONDS);
  const before = await Promise.all(gateways.map(reasonsOf));
  const cells = presenceCells().map((cell) => ({ ...cell, kind: servable(cell.kind, engine.name) }));
  let requests: PresentationRequests | undefined;
  await measureRounds<PresenceCell>({
    suite: 'presence',
    cells,
    targetOf: ({ server }) => servers[server],
    seconds: options.seconds ?? DEFAULT_SECONDS,
    options,
    corpus,
    beforeRound: async () => {
      say('presence, signing proofs');
      requests = await signRequests(corpus, dir, [options.serverCore, options.generatorCore]);
    },
    besides: (cell) => ({
      requests: requests && requestsOf(cell, requests),
      besidePid: cell.server === 'redis' ? redisServer.pid : undefined,
    }),
  });
  const after = await Promise.all(gateways.map(reasonsOf));
  const wrongs = gateways.flatMap((_, at) => otherVerdicts(before[at], after[at]));
  return resultOf({ cells, options, corpus, engine, remembered, wrongs });
}

interface Measured {
  readonly cells: readonly PresenceCell[];
  readonly options: Options;
  readonly corpus: Corpus;
  readonly engine: object;
  readonly remembered: number;
  readonly wrongs: readonly string[];
}

function resultOf({ cells, options, corpus, engine, remembered, wrongs }: Measured): SuiteResult {
  const ticksPerSecond = clockTicksPerSecond();
  const rows = cells.map((cell) => rowOf(cell, cells, ticksPerSecond));
  const { conditions, untold } = judgeBars(rows);
  const presentations = presentationsOf(corpus);
  return conditionResult({
    rows: [...rows, ...conditions],
    columns: [
      { key: 'case', title: 'case' },
      { key: 'requestsPerSecond', title: 'requests/s' },
      { key: 'credentialsPerSecond', title: 'credentials/s' },
      { key: 'shareOfEmpty', title: 'share of empty' },
      { key: 'shareOfPlain', title: 'share of plain' },
      { key: 'p50Ms', title: 'p50 ms' },
      { key: 'p99Ms', title: 'p99 ms' },
      { key: 'serverCpuUsPerRequest', title: 'CPU-us/request' },
      { key: 'serverUtilisation', title: 'server' },
      { key: 'generatorUtilisation', title: 'generator' },
      { key: 'redisUtilisation', title: 'redis' },
      { key: 'bottleneck', title: 'bottleneck' },
      { key: 'checked', title: 'checked' },
      { key: 'notValid', title: 'not valid' },
      { key: 'condition', title: 'condition' },
      { key: 'bar', title: 'bar' },
      { key: 'measured', title: 'measured' },
      { key: 'pass', title: 'pass' },
    ],
    facts: {
      engines: [engine],
      corpus: { credentials: corpus.credentials, issuerKeys: corpus.issuerKeys, holders: corpus.credentials },
      presentationsARound: presentations,
      gateway: { VIGIE_PROOF_WINDOW: WINDOW_SECONDS, VIGIE_REPLAY_ENTRIES: remembered },
      redisCore: options.generatorCore,
      rounds: options.rounds,
      secondsARound: options.seconds ?? DEFAULT_SECONDS,
    },
    warnings: [...rows.flatMap(warningsAbout), ...warnOfFew(presentations)],
    wrongs: [...rows.flatMap(wrongsIn), ...wrongs, ...untold],
  });
}
