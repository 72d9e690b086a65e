/** Suite `nation`: the workload of a national pharmacy network, replayed against real gateways and a real Redis. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Corpus, prepareCorpus } from '../corpus/credentials.ts';
import { prepareOpenLoop } from '../load/open-loop.ts';
import { type Options, UsageError } from '../options.ts';
import { CACHE_DIR } from '../paths.ts';
import { requirePackage, requireTaskset } from '../process/programs.ts';
import { engineOf } from '../process/targets.ts';
import { type Suite, type SuiteResult, Unavailable } from '../suite.ts';
import { conditionResult } from './conditions.ts';
import { measureAudit } from './nation/audit.ts';
import { cardsShown, measureMass } from './nation/mass.ts';
import { coreOf, type Network, startNetwork } from './nation/network.ts';
import { measureOutage } from './nation/outage.ts';
import { measureProofs } from './nation/proofs.ts';
import type { PartResult } from './nation/rows.ts';
import { measureHerd, measureSingles } from './nation/steady.ts';
import { BASIS, type BasisName } from './nation/workload.ts';
import { loadBuilt } from './revocation/built.ts';
import { prepareBulk } from './revocation/bulk-load.ts';

const PARTS = ['central', 'high', 'herd', 'audit', 'proofs', 'mass', 'outage'] as const;
type NationPart = (typeof PARTS)[number];
/** The others run on a network of gateways with a Redis. */
type NetworkPart = Exclude<NationPart, 'proofs'>;

/** How long a measurement takes, unless `--seconds` says otherwise. */
const DEFAULT_SECONDS = 60;

export const nationSuite: Suite = {
  name: 'nation',
  summary:
    "a national pharmacy network: worst seconds, lots, a year's audit, a mass revocation, an outage of Redis",
  parts: PARTS,
  run,
};

/** What a gateway is sized for unless it is told otherwise. */
const FILTER_CAPACITY = 10_000_000;
/** Headroom where so many are revoked that the default would be outgrown. */
const HEADROOM = 1.25;

const say = (text: string): void =>
  console.error(`bench: ${Math.round(performance.now() / 1000)} s: ${text}`);

async function run(options: Options): Promise<SuiteResult> {
  requireTaskset();
  requirePackage('redis-server');
  prepareOpenLoop();
  const corpus = prepareCorpus(CACHE_DIR, options.credentials, say);
  const needed = Math.ceil((options.standing + options.mass) * HEADROOM);
  const filter = { capacity: Math.max(FILTER_CAPACITY, needed), falsePositiveRate: options.rate };
  // Beside the cache, so that copies are made within one file system.
  mkdirSync(CACHE_DIR, { recursive: true });
  const runDir = mkdtempSync(join(CACHE_DIR, 'run-'));
  // Again, where a server that was killed a moment ago still had its last word to write.
  const removeRun = () => rmSync(runDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  process.once('exit', removeRun);
  const results: PartResult[] = [];
  let engine: object | undefined;
  // A part that breaks off fails the run, and does not take with it what others have measured.
  const guarded = async (parts: readonly NationPart[], measure: () => Promise<void>) => {
    try {
      await measure();
    } catch (error) {
      if (error instanceof UsageError || (error instanceof Unavailable && results.length === 0)) throw error;
      console.error(error);
      results.push(brokenOff(parts, error));
    }
  };
  // Parts that need the same gateways share them; one that revokes or breaks something has a network of its own.
  const onNetwork = async (parts: readonly NetworkPart[], gateways: 1 | 2, jtis: readonly string[] = []) => {
    const chosen = parts.filter((part) => options.only.includes(part));
    if (chosen.length === 0) return;
    await guarded(chosen, async () => {
      const bulk = await prepareBulk(await loadBuilt(), CACHE_DIR, filter, say, options.standing);
      const dir = mkdtempSync(join(runDir, 'network-'));
      const network = await startNetwork({ options, dir, corpus, bulk, filter, gateways, jtis, say });
      try {
        engine ??= await engineOf((network.gateways[0] as Network['gateways'][number]).metrics);
        if (!network.isQuiet) results.push(stillAuditing(chosen));
        for (const part of chosen) {
          await guarded([part], async () => {
            results.push(await measurePart(part, network, options));
          });
        }
      } finally {
        await network.stop();
      }
    });
  };
  try {
    await onNetwork(['central', 'high', 'herd', 'audit'], 1);
    if (options.only.includes('proofs')) {
      say('nation, proofs');
      const dir = mkdtempSync(join(runDir, 'proofs-'));
      await guarded(['proofs'], async () => {
        results.push(await measureProofs(options, dir, secondsOf(options), say));
      });
    }
    await onNetwork(['mass'], 2, cardsShown(options.mass).jtis);
    await onNetwork(['outage'], 2);
    return resultOf(results, options, corpus, { engine, filter });
  } finally {
    removeRun();
    process.off('exit', removeRun);
  }
}

function measurePart(part: NetworkPart, network: Network, options: Options): Promise<PartResult> {
  say(`nation, ${part}`);
  switch (part) {
    case 'central':
    case 'high':
      return measureSingles(network, part, secondsOf(options));
    case 'herd':
      return measureHerd(network, secondsOf(options));
    case 'audit':
      return measureAudit(network, secondsOf(options));
    case 'mass':
      return measureMass(network, options.mass, secondsOf(options));
    case 'outage':
      return measureOutage(network, secondsOf(options));
  }
}

function brokenOff(parts: readonly NationPart[], error: unknown): PartResult {
  const why = error instanceof Error ? error.message : String(error);
  return { rows: [], warnings: [], wrongs: [`${parts.join(', ')}: broke off: ${why}`] };
}

/** How long each rate is held. */
const secondsOf = ({ seconds = DEFAULT_SECONDS }: Options): number => seconds;

/** After a start a gateway goes through its whole copy, which costs it part of its core for a while. */
function stillAuditing(parts: readonly NationPart[]): PartResult {
  const warning = `${parts.join(', ')}: the gateways were still auditing their copies when the load began`;
  return { rows: [], warnings: [warning], wrongs: [] };
}

function resultOf(
  parts: readonly PartResult[],
  options: Options,
  corpus: Corpus,
  { engine, filter }: { readonly engine: object | undefined; readonly filter: object },
): SuiteResult {
  const rows = parts.flatMap((part) => part.rows);
  // A page names what its own rows rest on, and nothing else.
  const named = new Set(rows.flatMap(({ basis }) => String(basis).split(' ')));
  return conditionResult({
    rows,
    columns: [
      { key: 'part', title: 'part' },
      { key: 'what', title: 'what' },
      { key: 'basis', title: 'basis' },
      { key: 'askedPerSecond', title: 'asked/s' },
      { key: 'achievedPerSecond', title: 'done/s' },
      { key: 'samples', title: 'samples' },
      { key: 'p50Ms', title: 'p50 ms' },
      { key: 'p99Ms', title: 'p99 ms' },
      { key: 'p999Ms', title: 'p99.9 ms' },
      { key: 'servedPercent', title: 'served %' },
      { key: 'wrong', title: 'wrong' },
      { key: 'gatewayCores', title: 'gateways' },
      { key: 'redisCores', title: 'Redis' },
      { key: 'generatorCores', title: 'generator' },
      { key: 'perCorePerSecond', title: 'a core/s' },
      { key: 'value', title: 'measured' },
      { key: 'unit', title: 'unit' },
      { key: 'expectation', title: 'expected' },
      { key: 'pass', title: 'pass' },
    ],
    facts: {
      engines: engine === undefined ? [] : [engine],
      assumptions: (Object.keys(BASIS) as BasisName[])
        .filter((name) => named.has(name))
        .map((name) => `${name} ${BASIS[name]}`),
      corpus: {
        credentials: corpus.credentials,
        issuerKeys: corpus.issuerKeys,
        credentialChars: corpus.credentialChars,
      },
      standing: options.standing,
      mass: options.mass,
      filter,
      gatewayCores: [coreOf(options, 0), coreOf(options, 1)],
      redisCore: options.generatorCore,
      secondsAPart: secondsOf(options),
    },
    warnings: parts.flatMap(({ warnings }) => warnings),
    wrongs: parts.flatMap(({ wrongs }) => wrongs),
  });
}
