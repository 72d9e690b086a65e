/**
 * Suite `http`: a real gateway as a process of its own on one core, a load generator on another, and a server
 * that does nothing beside it in the same run, their rounds interleaved.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Corpus, prepareCorpus } from '../corpus/credentials.ts';
import { requireGenerator, runLoad } from '../load/run-load.ts';
import type { Options } from '../options.ts';
import { BENCH_DIR, CACHE_DIR, DIST_DIR, ROOT_DIR, sourceFile } from '../paths.ts';
import { clockTicksPerSecond } from '../process/cpu-time.ts';
import { freePort, type PinnedServer, startPinned } from '../process/pinned-server.ts';
import { type Suite, type SuiteResult, Unavailable } from '../suite.ts';
import { type Cell, REQUEST_KINDS, rowOf, type TargetName, warningsAbout } from './http-cells.ts';

/** The round that warms up and checks need not be long. */
const CHECK_SECONDS = 2;

interface Target {
  readonly name: TargetName;
  readonly origin: string;
  readonly server: PinnedServer;
}

export const httpSuite: Suite = {
  name: 'http',
  summary: 'the gateway over HTTP on one core: single calls beside an empty handler, batches of 1,000',
  defaultSeconds: 5,
  run,
};

const say = (text: string): void => console.error(`bench: ${text}`);

async function run(options: Options): Promise<SuiteResult> {
  requireGenerator(options.generator);
  const corpus = prepareCorpus(CACHE_DIR, options.credentials, say);
  const dataDir = mkdtempSync(join(tmpdir(), 'vigie-bench-'));
  const removeData = () => rmSync(dataDir, { recursive: true, force: true });
  process.once('exit', removeData);
  const targets: Target[] = [];
  try {
    const gateway = await startGateway(options, corpus, dataDir);
    targets.push(gateway.target);
    targets.push(await startEmptyHandler(options));
    const engine = await engineOf(gateway.metricsUrl);
    const cells = await measureAll(targets, options, corpus);
    return resultOf(cells, options, corpus, engine);
  } finally {
    await Promise.all(targets.map(({ server }) => server.stop()));
    removeData();
  }
}

export async function startGateway(options: Options, corpus: Corpus, dataDir: string) {
  const command = join(DIST_DIR, 'cli', 'vigie.js');
  if (!existsSync(command)) throw new Unavailable('the service is not built: npm run build');
  const [port, adminPort, metricsPort] = [await freePort(), await freePort(), await freePort()];
  const server = await startPinned({
    name: 'the gateway',
    args: [command, 'serve'],
    cwd: ROOT_DIR,
    env: {
      VIGIE_HOST: '127.0.0.1',
      VIGIE_PORT: String(port),
      VIGIE_ADMIN_PORT: String(adminPort),
      VIGIE_METRICS_PORT: String(metricsPort),
      VIGIE_WORKERS: '1',
      VIGIE_DATA_DIR: dataDir,
      VIGIE_TRUST_LIST: corpus.trustListFile,
      VIGIE_ENGINE: options.engine,
      VIGIE_LOG_LEVEL: 'warn',
    },
    core: options.serverCore,
    readyPrefix: 'vigie is ready:',
  });
  const target: Target = { name: 'gateway', origin: `http://127.0.0.1:${port}`, server };
  return { target, metricsUrl: `http://127.0.0.1:${metricsPort}/metrics` };
}

async function startEmptyHandler(options: Options): Promise<Target> {
  const port = await freePort();
  const server = await startPinned({
    name: 'the empty handler',
    args: ['--import', 'tsx', sourceFile('peers', 'empty-uws.ts'), String(port)],
    cwd: BENCH_DIR,
    env: {},
    core: options.serverCore,
    readyPrefix: 'empty-uws is ready:',
  });
  return { name: 'empty-uws', origin: `http://127.0.0.1:${port}`, server };
}

/** Which engine the gateway took, from whichever info metric carries it: the gateway's word, not ours. */
export async function engineOf(metricsUrl: string): Promise<{ name: string; implementation: string }> {
  const text = await (await fetch(metricsUrl)).text();
  const info = /^vigie_\w*info\{(?=[^}]*\bengine=)[^}]*\}/m.exec(text)?.[0] ?? '';
  const label = (name: string): string =>
    new RegExp(`\\b${name}="([^"]*)"`).exec(info)?.[1] ?? 'not exported';
  return { name: label('engine'), implementation: label('implementation') };
}

/** A check round for every cell, then the measured rounds: each visits every cell, targets side by side. */
async function measureAll(targets: readonly Target[], options: Options, corpus: Corpus): Promise<Cell[]> {
  const seconds = options.seconds ?? httpSuite.defaultSeconds;
  const cells = REQUEST_KINDS.flatMap((kind) =>
    kind.targets.map((target): Cell => ({ kind, target, rounds: [] })),
  );
  const measure = async ({ kind, target: name }: Cell, forSeconds: number, check: boolean) => {
    const target = targets.find((known) => known.name === name) as Target;
    const report = await runLoad(options.generator, {
      ...kind,
      origin: target.origin,
      seconds: forSeconds,
      check,
      credentialsFile: corpus.credentialsFile,
      serverPid: target.server.pid,
      generatorCore: options.generatorCore,
    });
    // Requests under way when the generator left still cost the server time, which is not the next cell's.
    await target.server.untilIdle();
    return report;
  };
  say('http, check round');
  for (const cell of cells) {
    cell.checkRound = await measure(cell, Math.min(seconds, CHECK_SECONDS), cell.target === 'gateway');
  }
  for (let round = 1; round <= options.rounds; round++) {
    say(`http, round ${round} of ${options.rounds}`);
    for (const cell of cells) cell.rounds.push(await measure(cell, seconds, cell.kind.checkAlways));
  }
  return cells;
}

function resultOf(
  cells: readonly Cell[],
  options: Options,
  corpus: Corpus,
  engine: { readonly name: string; readonly implementation: string },
): SuiteResult {
  const ticksPerSecond = clockTicksPerSecond();
  const rows = cells.map((cell) => {
    const empty = cells.find(({ kind, target }) => kind === cell.kind && target === 'empty-uws');
    return rowOf(cell, empty, options.generator, ticksPerSecond);
  });
  return {
    rows,
    columns: [
      { key: 'target', title: 'target' },
      { key: 'request', title: 'request' },
      { key: 'answer', title: 'answer' },
      { key: 'requestsPerSecond', title: 'requests/s' },
      { key: 'credentialsPerSecond', title: 'credentials/s' },
      { key: 'shareOfEmpty', title: 'share of empty' },
      { key: 'p50Ms', title: 'p50 ms' },
      { key: 'p99Ms', title: 'p99 ms' },
      { key: 'serverCpuUsPerRequest', title: 'CPU-us/request' },
      { key: 'serverUtilisation', title: 'server' },
      { key: 'generatorUtilisation', title: 'generator' },
      { key: 'bottleneck', title: 'bottleneck' },
      { key: 'non2xx', title: 'non-2xx' },
      { key: 'checked', title: 'checked' },
      { key: 'notValid', title: 'not valid' },
    ],
    facts: {
      engines: [engine],
      corpus: {
        credentials: corpus.credentials,
        issuerKeys: corpus.issuerKeys,
        credentialChars: corpus.credentialChars,
      },
      rounds: options.rounds,
      secondsARound: options.seconds,
    },
    warnings: rows.flatMap(warningsAbout),
    failed: rows.some(({ notValid, non2xx, socketErrors }) => notValid + non2xx + socketErrors > 0),
  };
}
