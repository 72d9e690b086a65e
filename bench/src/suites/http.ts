/**
 * Suite `http`: a real gateway as a process of its own on one core, a load generator on another, and a server
 * that does nothing beside it in the same run, their rounds interleaved.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Corpus, prepareCorpus } from '../corpus/credentials.ts';
import { requireGenerator } from '../load/run-load.ts';
import type { Options } from '../options.ts';
import { BENCH_DIR, CACHE_DIR } from '../paths.ts';
import { clockTicksPerSecond } from '../process/cpu-time.ts';
import { engineOf, startGateway, startPeer, type Target } from '../process/targets.ts';
import type { Suite, SuiteResult } from '../suite.ts';
import { type Cell, HTTP_KINDS, rowOf, servable, warningsAbout } from './http-cells.ts';
import { probeVerdicts } from './http-probes.ts';
import { measureRounds } from './rounds.ts';

/** How long a measurement takes, unless `--seconds` says otherwise. */
const DEFAULT_SECONDS = 5;

export const httpSuite: Suite = {
  name: 'http',
  summary:
    'the gateway over HTTP on one core: single calls and batches of 1,000 beside an empty handler and fastify',
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
    const seconds = options.seconds ?? DEFAULT_SECONDS;
    const kinds = HTTP_KINDS.map((kind) => servable(kind, engine.name));
    const cells = kinds.flatMap((kind) => kind.targets.map((target): Cell => ({ kind, target, rounds: [] })));
    const targetOf = (cell: Cell) => targets.find(({ name }) => name === cell.target) as Target;
    await measureRounds({ suite: 'http', cells, targetOf, seconds, options, corpus });
    return resultOf(cells, { ...options, seconds }, corpus, engine);
  } finally {
    await Promise.all(targets.map(({ server }) => server.stop()));
    removeData();
  }
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
    const { request, connections } = cell.kind;
    const alike = cells.filter(({ kind }) => kind.request === request);
    const empty = alike.find(
      ({ target, kind }) => target === 'empty-uws' && kind.connections === connections,
    );
    const peer = alike.find(({ target }) => target === 'fastify-fast-jwt');
    return rowOf(cell, { empty, peer }, options.generator, ticksPerSecond);
  });
  return {
    rows,
    columns: [
      { key: 'target', title: 'target' },
      { key: 'request', title: 'request' },
      { key: 'answer', title: 'answer' },
      { key: 'connections', title: 'connections' },
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
    // A gateway that the generator held down was not measured.
    failed: rows.some(
      ({ target, notValid, non2xx, socketErrors, generatorWasBottleneck }) =>
        notValid + non2xx + socketErrors > 0 || (target === 'gateway' && generatorWasBottleneck),
    ),
  };
}
