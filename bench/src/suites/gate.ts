/**
 * Suite `gate`: does the checkout cost more than the commit it is compared with? Three gateways side by side on one core,
 * the base twice and the head, asked by turns in one run; what counts is CPU time a request, in ratios of neighbours.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Corpus, prepareCorpus } from '../corpus/credentials.ts';
import { buildCommit, copyWithSlowdown, resolveCommit } from '../gate/checkouts.ts';
import { type Blocks, bandOf, judge, medianInterval } from '../gate/interval.ts';
import type { SliceKind, SliceSamples, SlicesTask } from '../gate/slices-child.ts';
import { type Options, UsageError } from '../options.ts';
import { CACHE_DIR, ROOT_DIR, sourceFile } from '../paths.ts';
import { runChild } from '../process/measuring-child.ts';
import { requireTaskset } from '../process/programs.ts';
import { type Gateway, startGateway } from '../process/targets.ts';
import { median, significant } from '../statistics.ts';
import type { Row, Suite, SuiteResult } from '../suite.ts';

/** How long a measurement takes, unless `--seconds` says otherwise. */
const DEFAULT_SECONDS = 8;

export const gateSuite: Suite = {
  name: 'gate',
  summary: 'CPU time a request beside that of an earlier commit (--base), interleaved: fails on a regression',
  defaultRounds: 6,
  run,
};

/** Drawn from fewer blocks, the interval is narrower than what two processes of the same code differ by. */
const FEWEST_BLOCKS = 6;

const WARM_UP_SECONDS = 6;
const CHILD_GRACE_SECONDS = 60;
const say = (text: string): void => console.error(`bench: gate, ${text}`);

async function run(options: Options): Promise<SuiteResult> {
  if (options.base === undefined) throw new UsageError('gate: --base COMMIT says what to compare with');
  requireTaskset();
  const commit = resolveCommit(options.base);
  const corpus = prepareCorpus(CACHE_DIR, options.credentials, say);
  const dir = mkdtempSync(join(tmpdir(), 'vigie-gate-'));
  const removeDir = () => rmSync(dir, { recursive: true, force: true });
  process.once('exit', removeDir);
  try {
    say(`building ${commit.slice(0, 12)}`);
    const base = join(dir, 'base');
    buildCommit(commit, base);
    let head = ROOT_DIR;
    if (options.inject > 0) {
      head = join(dir, 'head');
      copyWithSlowdown(options.inject, head);
    }
    const blocks: SliceSamples[] = [];
    for (let block = 1; block <= options.rounds; block++) {
      say(`block ${block} of ${options.rounds}`);
      // The head in the middle: each of the two that are the same is as near to it as the other.
      blocks.push(await measureBlock([base, head, base], join(dir, `block-${block}`), options, corpus));
    }
    return resultOf(blocks, commit, options);
  } finally {
    removeDir();
  }
}

/** Processes of its own: what the compiler of a process made of the code is part of what two of them differ by. */
async function measureBlock(
  checkouts: readonly string[],
  dataDir: string,
  options: Options,
  corpus: Corpus,
): Promise<SliceSamples> {
  const gateways: Gateway[] = [];
  try {
    for (const [index, checkout] of checkouts.entries()) {
      const place = { cores: [options.serverCore], dataDir: `${dataDir}-${index}`, checkout };
      gateways.push(await startGateway({ engine: options.engine, workers: 1, ...place }, corpus));
    }
    const seconds = options.seconds ?? DEFAULT_SECONDS;
    const task: SlicesTask = {
      servers: gateways.map(({ origin, server }) => ({
        pid: server.pid,
        port: Number(new URL(origin).port),
      })),
      credentialsFile: corpus.credentialsFile,
      warmUpSeconds: WARM_UP_SECONDS,
      seconds,
    };
    const child = {
      file: sourceFile('gate', 'slices-child.ts'),
      task,
      core: options.generatorCore,
      limitSeconds: WARM_UP_SECONDS + seconds + CHILD_GRACE_SECONDS,
    };
    return (await runChild(child)) as SliceSamples;
  } finally {
    await Promise.all(gateways.map(({ server }) => server.stop()));
  }
}

/** The head against the middle of the two bases beside it; these against one another. */
const headRatio = ([before, head, after]: readonly number[]): number =>
  (head as number) / Math.sqrt((before as number) * (after as number));
const sameRatio = ([before, , after]: readonly number[]): number => (after as number) / (before as number);

function rowOf(kind: SliceKind, samples: readonly SliceSamples[], threshold: number) {
  const [heads, sames] = [headRatio, sameRatio].map((ratio) =>
    samples.map((block) => block[kind].map(ratio)),
  );
  const head = medianInterval(heads as Blocks);
  const same = medianInterval(sames as Blocks);
  const { verdict, limit } = judge(head, same, threshold);
  const costs = samples.flatMap((block) => block[kind]);
  const cpuUs = (index: number): number => significant(median(costs.map((round) => round[index] as number)));
  return {
    suite: 'gate',
    request: kind,
    verdict,
    ratio: significant(head.middle),
    low: significant(head.low),
    high: significant(head.high),
    band: significant(bandOf(same).high),
    limit: significant(limit),
    baseCpuUs: cpuUs(0),
    headCpuUs: cpuUs(1),
    rounds: costs.length,
    blocksRatio: (heads as Blocks).map((block) => significant(median(block))),
    blocksSameRatio: (sames as Blocks).map((block) => significant(median(block))),
  };
}

function resultOf(samples: readonly SliceSamples[], commit: string, options: Options): SuiteResult {
  const rows = (['single', 'batch'] as const).map((kind) => rowOf(kind, samples, options.threshold));
  const unsure = rows.filter(({ verdict }) => verdict === 'inconclusive').map(({ request }) => request);
  const isFailed = rows.some(({ verdict }) => verdict === 'regression');
  return {
    rows: rows satisfies readonly Row[],
    columns: [
      ...['request', 'verdict', 'ratio', 'low', 'high', 'band', 'limit'].map((key) => ({ key, title: key })),
      { key: 'baseCpuUs', title: 'base CPU-us' },
      { key: 'headCpuUs', title: 'head CPU-us' },
      { key: 'rounds', title: 'rounds' },
    ],
    facts: {
      base: commit,
      threshold: options.threshold,
      injected: options.inject,
      // What counts is the servers' CPU time, which waits for a busy generator without growing.
      generatorUtilisation: significant(median(samples.map((block) => block.generatorUtilisation)), 3),
      discardedRounds: samples.reduce((sum, { discarded }) => sum + discarded, 0),
      blocks: options.rounds,
      secondsABlock: options.seconds ?? DEFAULT_SECONDS,
    },
    warnings: [
      ...(unsure.length === 0 ? [] : [`inconclusive, more blocks may tell: ${unsure.join(', ')}`]),
      ...(options.rounds < FEWEST_BLOCKS
        ? [`${options.rounds} blocks are too few to trust the intervals`]
        : []),
    ],
    failed: isFailed,
    // Nobody can say that it costs no more: whoever waits for that must not go on.
    isInconclusive: unsure.length > 0,
  };
}
