/**
 * Suite `http`: a real gateway as a process of its own on one core, a load generator on another, and a server
 * that does nothing beside it in the same run, their rounds interleaved.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Corpus, prepareCorpus } from '../corpus/credentials.ts';
import { requireGenerator, runLoad } from '../load/run-load.ts';
import type { Options } from '../options.ts';
import { BENCH_DIR, CACHE_DIR } from '../paths.ts';
import { clockTicksPerSecond } from '../process/cpu-time.ts';
import { engineOf, startGateway, startPeer, type Target } from '../process/targets.ts';
import type { Suite, SuiteResult } from '../suite.ts';
import { type Cell, REQUEST_KINDS, rowOf, warningsAbout } from './http-cells.ts';
import { probeVerdicts } from './http-probes.ts';

/** The round that warms up and checks need not be long. */
const CHECK_SECONDS = 2;

export const httpSuite: Suite = {
  name: 'http',
  summary: 'the gateway over HTTP on one core: single calls and batches of 1,000 beside an empty handler and fastify',
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
    const { engine: engineChoice, serverCore } = options;
    const spec = { engine: engineChoice, workers: 1, cores: [serverCore], dataDir };
    const gateway = await startGateway(spec, corpus);
    targets.push(gateway);
    targets.push(await startPeer('empty-uws', serverCore));
    const peer = await startPeer('fastify-fast-jwt', serverCore, [corpus.trustListFile]);
    targets.push(peer);
    const engine = await engineOf(gateway.metricsUrl);
    // Load has valid credentials alone: whoever calls everything valid would not be noticed there.
    for (const verifier of [gateway, peer]) await probeVerdicts(verifier, corpus.credentialsFile);
    const cells = await measureAll(targets, options, corpus);
    return resultOf(cells, options, corpus, engine);
  } finally {
    await Promise.all(targets.map(({ server }) => server.stop()));
    removeData();
  }
}

/** A check round for every cell, then the measured rounds: each visits every cell, targets side by side. */
async function measureAll(targets: readonly Target[], options: Options, corpus: Corpus): Promise<Cell[]> {
  const seconds = options.seconds ?? httpSuite.defaultSeconds;
  const cells = REQUEST_KINDS.flatMap((kind) =>
    kind.targets.map((target): Cell => ({ kind, target, rounds: [] })),
  );
  const measure = async ({ kind, target: name }: Cell, forSeconds: number, checkOneIn: number) => {
    const target = targets.find((known) => known.name === name) as Target;
    const report = await runLoad(options.generator, {
      ...kind,
      origin: target.origin,
      seconds: forSeconds,
      checkOneIn,
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
    const checkOneIn = cell.target === 'empty-uws' ? 0 : 1;
    cell.checkRound = await measure(cell, Math.min(seconds, CHECK_SECONDS), checkOneIn);
  }
  for (let round = 1; round <= options.rounds; round++) {
    say(`http, round ${round} of ${options.rounds}`);
    for (const cell of cells) cell.rounds.push(await measure(cell, seconds, cell.kind.checkOneIn));
  }
  return cells;
}

/** The versions that are installed, not those that were asked for. */
function peerVersions(): Record<string, string> {
  const names = ['fastify', 'fast-jwt'];
  return Object.fromEntries(
    names.map((name) => {
      const file = join(BENCH_DIR, 'node_modules', name, 'package.json');
      return [name, JSON.parse(readFileSync(file, 'utf8')).version as string];
    }),
  );
}

function resultOf(
  cells: readonly Cell[],
  options: Options,
  corpus: Corpus,
  engine: { readonly name: string; readonly implementation: string },
): SuiteResult {
  const ticksPerSecond = clockTicksPerSecond();
  const rows = cells.map((cell) => {
    const alike = cells.filter(({ kind }) => kind.request === cell.kind.request);
    const empty = alike.find(({ target }) => target === 'empty-uws');
    const peer = alike.find(({ target }) => target === 'fastify-fast-jwt');
    return rowOf(cell, { empty, peer }, options.generator, ticksPerSecond);
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
      { key: 'xFastifyFastJwt', title: 'x fastify' },
      { key: 'p50Ms', title: 'p50 ms' },
      { key: 'p99Ms', title: 'p99 ms' },
      { key: 'serverCpuUsPerRequest', title: 'CPU-us/request' },
      { key: 'serverUtilisation', title: 'server' },
      { key: 'generatorUtilisation', title: 'generator' },
      { key: 'bottleneck', title: 'bottleneck' },
      { key: 'non2xx', title: 'non-2xx' },
      { key: 'checkOneIn', title: 'check 1 in' },
      { key: 'checked', title: 'checked' },
      { key: 'notValid', title: 'not valid' },
    ],
    facts: {
      engines: [engine],
      peers: peerVersions(),
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
