/**
 * Suite `peers`: the gateway beside what else verifies such credentials, and its signature engine beside others, in one
 * run on the same credentials and the same two cores, rounds interleaved.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareCorpus } from '../corpus/credentials.ts';
import { requireGenerator } from '../load/run-load.ts';
import { type Options, UsageError } from '../options.ts';
import { CACHE_DIR } from '../paths.ts';
import { clockTicksPerSecond } from '../process/cpu-time.ts';
import type { Row, Suite, SuiteResult } from '../suite.ts';
import { residentMiB } from './open-loop-bench.ts';
import { acceptAfterExpiry, type Findings, probePeer } from './peers/ask-peer.ts';
import { writeBearerRequests } from './peers/bearer-requests.ts';
import { measureEngines } from './peers/engines.ts';
import {
  isUnmeasured,
  isWrong,
  notRunRow,
  type PeerCell,
  peerRow,
  warningsOf,
} from './peers/gateway-rows.ts';
import { GATEWAYS } from './peers/gateways.ts';
import type { PeerContext, PeerSpec, RunningPeer } from './peers/peer-context.ts';
import { makeProbeKey, makeProbes, withProbeKey } from './peers/probe-credentials.ts';
import { measureRounds } from './rounds.ts';

/** How long a measurement takes, unless `--seconds` says otherwise. */
const DEFAULT_SECONDS = 5;

export const peersSuite: Suite = {
  name: 'peers',
  summary:
    'the gateway and its engine beside others: KrakenD, Envoy, fastify, node:http; noble, sodium, dalek',
  parts: ['gateways', 'engines'],
  run,
};

/** Other cards that are revoked wherever revocation exists; none of them is in the load. */
const REVOKED = 10_000;
/** What a cache of results gets over and over: fewer than it holds. */
const HOT_CREDENTIALS = 500;
const ACCEPTS_AFTER_EXPIRY = 'refuse, thirty seconds past its expiry, what it accepted before (checked)';

/** Each server is ended at this process's exit; more than Node expects to be. */
const EXIT_LISTENERS = 32;

const say = (text: string): void => console.error(`bench: peers, ${text}`);

async function run(options: Options): Promise<SuiteResult> {
  if (options.generator !== 'wrk')
    throw new UsageError('--generator: peers has bearer requests, for wrk alone');
  requireGenerator('wrk');
  process.setMaxListeners(EXIT_LISTENERS);
  const corpus = prepareCorpus(CACHE_DIR, options.credentials, say);
  const dir = mkdtempSync(join(tmpdir(), 'vigie-peers-'));
  const removeDir = () => rmSync(dir, { recursive: true, force: true });
  process.once('exit', removeDir);
  try {
    const key = makeProbeKey();
    const trustListFile = join(dir, 'trust-list.json');
    writeFileSync(trustListFile, JSON.stringify(withProbeKey(corpus.trustListFile, key)));
    const context = { options, corpus, trustListFile, dir, probes: makeProbes(key, REVOKED) };
    const seconds = options.seconds ?? DEFAULT_SECONDS;
    const rows: Row[] = [];
    if (options.only.includes('gateways')) rows.push(...(await measureGateways(context, seconds)));
    if (options.only.includes('engines')) rows.push(...(await measureEngines(context, seconds)));
    return resultOf(rows, context, seconds);
  } finally {
    removeDir();
  }
}

interface Started {
  readonly spec: PeerSpec;
  readonly running: RunningPeer;
  readonly findings: Findings;
}

async function measureGateways(context: PeerContext, seconds: number): Promise<Row[]> {
  const started: Started[] = [];
  const notRun: Row[] = [];
  try {
    for (const spec of GATEWAYS) {
      say(`starting ${spec.peer}`);
      try {
        started.push(await startAndProbe(spec, context));
      } catch (error) {
        notRun.push(notRunRow(spec, messageOf(error)));
      }
    }
    const sound = started.filter(({ findings }) => findings.essential.length === 0);
    for (const { spec, findings } of started.filter((peer) => !sound.includes(peer)))
      notRun.push(notRunRow(spec, `it does not ${findings.essential.join(', nor ')}`));
    const runningOnes = sound.map(({ running }) => running);
    const { accepting, broken } = await acceptAfterExpiry(runningOnes, context.probes);
    for (const { spec, running } of sound)
      if (broken.has(running)) notRun.push(notRunRow(spec, messageOf(broken.get(running))));
    const whole = sound.filter(({ running }) => !broken.has(running));
    const cells = cellsOf(whole, accepting);
    const failures = await loadCells(cells, context, seconds);
    const ticks = clockTicksPerSecond();
    const rows = cells.map((cell) => rowOfCell(cell, failures.get(cell), ticks));
    return [...rows, ...notRun];
  } finally {
    await Promise.all(started.map(({ running }) => running.stop()));
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** One that cannot be asked is stopped here: it is in nobody's list yet. */
async function startAndProbe(spec: PeerSpec, context: PeerContext): Promise<Started> {
  const running = await spec.start(context);
  try {
    return { spec, running, findings: await probePeer(running, context.probes) };
  } catch (error) {
    await running.stop();
    throw error;
  }
}

/** One that ended under the load has no figures, not even of the rounds before. */
function rowOfCell(cell: PeerCell, failure: string | undefined, ticksPerSecond: number): Row {
  if (failure !== undefined) return notRunRow(cell.spec, failure, cell.kind);
  try {
    return peerRow(cell, residentMiB(cell.running.target.server.pid), ticksPerSecond);
  } catch (error) {
    return notRunRow(cell.spec, messageOf(error), cell.kind);
  }
}

/** A cell for each peer and kind of request, those of cached results behind the others. */
function cellsOf(started: readonly Started[], forgetful: ReadonlySet<RunningPeer>): PeerCell[] {
  return started.flatMap(({ spec, running, findings }) => {
    const checked = findings.cannot.map((text) => `${text} (checked)`);
    const expired = forgetful.has(running) ? [ACCEPTS_AFTER_EXPIRY] : [];
    const cannot = [...spec.cannot, ...checked, ...expired];
    return spec.kinds.map((kind): PeerCell => ({ spec, running, kind, cannot, rounds: [] }));
  });
}

/** Fills the cells' rounds; returns why those have none that broke down under the load, or whose generator did. */
async function loadCells(
  cells: readonly PeerCell[],
  context: PeerContext,
  seconds: number,
): Promise<ReadonlyMap<PeerCell, string>> {
  const { options, corpus, dir } = context;
  const hotFile = join(dir, 'hot.txt');
  const hot = readFileSync(corpus.credentialsFile, 'latin1').split('\n').slice(0, HOT_CREDENTIALS);
  writeFileSync(hotFile, `${hot.join('\n')}\n`);
  const bearer = {
    cold: writeBearerRequests(corpus.credentialsFile, join(dir, 'bearer.http')),
    hot: writeBearerRequests(hotFile, join(dir, 'hot.http')),
  };
  const failures = new Map<PeerCell, string>();
  await measureRounds({
    suite: 'peers',
    cells,
    targetOf: ({ running }) => running.target,
    seconds,
    options,
    corpus,
    besides: ({ spec, kind, running }) => ({
      ...(spec.isCached && { credentialsFile: hotFile }),
      ...(kind.isBearer && { requests: spec.isCached ? bearer.hot : bearer.cold }),
      ...(running.besidePid !== undefined && { besidePid: running.besidePid }),
    }),
    // The others are measured all the same.
    onFailure: (cell, error) => failures.set(cell, messageOf(error)),
  });
  return failures;
}

function resultOf(rows: readonly Row[], { corpus, options }: PeerContext, seconds: number): SuiteResult {
  return {
    rows,
    columns: [
      { key: 'kind', title: 'kind' },
      { key: 'peer', title: 'peer' },
      { key: 'credentialsPerSecond', title: 'credentials/s' },
      { key: 'p99Ms', title: 'p99 ms, closed loop, each at its own saturation' },
      { key: 'cpuUsPerVerification', title: 'CPU-us/verification' },
      { key: 'rssMiB', title: 'RSS MiB' },
      { key: 'serverUtilisation', title: 'server' },
      { key: 'generatorUtilisation', title: 'generator' },
      { key: 'bottleneck', title: 'bottleneck' },
      { key: 'version', title: 'version' },
      { key: 'cannot', title: 'cannot' },
    ],
    facts: {
      corpus: {
        credentials: corpus.credentials,
        issuerKeys: corpus.issuerKeys,
        credentialChars: corpus.credentialChars,
      },
      revoked: REVOKED,
      hotCredentials: HOT_CREDENTIALS,
      rounds: options.rounds,
      secondsARound: seconds,
    },
    warnings: rows.flatMap(warningsOf),
    failed: rows.some((row) => isUnmeasured(row) || isWrong(row)),
  };
}
