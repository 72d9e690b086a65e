/** The signature engines of the peers suite: each round in a process of its own on the server's core, interleaved. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOSTILE_PAIRS, writeEngineInput, writeHostileInput } from '../../corpus/engine-input.ts';
import { BENCH_DIR, ROOT_DIR, sourceFile } from '../../paths.ts';
import type { EngineRound, EngineTask } from '../../peers/engine-child.ts';
import { cachedBuild } from '../../process/cached-build.ts';
import { outputOf } from '../../process/child-output.ts';
import { runChild } from '../../process/measuring-child.ts';
import { median, significant } from '../../statistics.ts';
import type { Row } from '../../suite.ts';
import { versionIn } from './gateways.ts';
import type { PeerContext } from './peer-context.ts';

/** What an engine with batches gets in a call, as in the gateway under load. */
const BATCH = 256;
/** Beyond it a round hangs: reading the input takes a second. */
const GRACE_SECONDS = 60;
const BUILD_LIMIT_MS = 10 * 60_000;
const DALEK = sourceFile('peers', 'dalek');

type DalekMode = 'verify' | 'verify_strict' | 'verify_batch';

interface EngineSpec {
  readonly peer: string;
  readonly run: { readonly node: EngineTask['engine'] } | { readonly dalek: DalekMode };
  readonly batch: number;
  readonly version: () => string;
  readonly cannot: readonly string[];
}

const vigieVersion = () => versionIn(ROOT_DIR);
const dalekVersion = () => {
  const lockfile = readFileSync(join(DALEK, 'Cargo.lock'), 'utf8');
  return /name = "ed25519-dalek"\nversion = "([^"]+)"/.exec(lockfile)?.[1] ?? 'unknown';
};
const NO_BATCH = 'verify signatures together';
const BLAMES_NOBODY = 'say which signature of a refused batch is bad';

const dalek = (mode: DalekMode, cannot: readonly string[]): EngineSpec => ({
  peer: `ed25519-dalek ${mode}`,
  run: { dalek: mode },
  batch: mode === 'verify_batch' ? BATCH : 1,
  version: dalekVersion,
  cannot,
});

const ENGINES: readonly EngineSpec[] = [
  { peer: 'vigie, batches', run: { node: 'vigie' }, batch: BATCH, version: vigieVersion, cannot: ['sign'] },
  { peer: 'vigie, single', run: { node: 'vigie' }, batch: 1, version: vigieVersion, cannot: ['sign'] },
  {
    peer: 'node:crypto',
    run: { node: 'node:crypto' },
    batch: 1,
    version: () => `Node ${process.versions.node}, OpenSSL ${process.versions.openssl}`,
    cannot: [NO_BATCH],
  },
  {
    peer: 'noble',
    run: { node: 'noble' },
    batch: 1,
    version: () => versionIn(join(ROOT_DIR, 'node_modules', '@noble', 'ed25519')),
    cannot: [NO_BATCH],
  },
  {
    peer: 'sodium-native',
    run: { node: 'sodium-native' },
    batch: 1,
    version: () => versionIn(join(BENCH_DIR, 'node_modules', 'sodium-native')),
    cannot: [NO_BATCH],
  },
  dalek('verify', [NO_BATCH]),
  dalek('verify_strict', [NO_BATCH]),
  dalek('verify_batch', [BLAMES_NOBODY]),
];

interface Measured {
  readonly spec: EngineSpec;
  readonly rounds: EngineRound[];
  notRun?: string;
}

export async function measureEngines(context: PeerContext, seconds: number): Promise<Row[]> {
  const { corpus, trustListFile, dir, options } = context;
  const inputFile = join(dir, 'signatures.bin');
  const hostileFile = join(dir, 'hostile.bin');
  writeEngineInput(corpus.credentialsFile, trustListFile, inputFile);
  writeHostileInput(hostileFile);
  const engines = ENGINES.map((spec): Measured => ({ spec, rounds: [] }));
  for (let round = 1; round <= options.rounds; round++) {
    console.error(`bench: peers, engines, round ${round} of ${options.rounds}`);
    for (const engine of engines) {
      if (engine.notRun !== undefined) continue;
      const task = { inputFile, hostileFile, seconds, batch: engine.spec.batch };
      try {
        engine.rounds.push(await roundOf(engine.spec, task, options.serverCore));
      } catch (error) {
        engine.notRun = error instanceof Error ? error.message : String(error);
      }
    }
  }
  return engines.map(rowOf);
}

async function roundOf(
  { run }: EngineSpec,
  task: Omit<EngineTask, 'engine'>,
  core: number,
): Promise<EngineRound> {
  const limitSeconds = task.seconds + GRACE_SECONDS;
  if ('node' in run) {
    const file = sourceFile('peers', 'engine-child.ts');
    return (await runChild({ file, task: { ...task, engine: run.node }, core, limitSeconds })) as EngineRound;
  }
  const program = join(await buildDalek(), 'release', 'dalek-peer');
  const numbers = [task.seconds, task.batch].map(String);
  const args = ['-c', String(core), program, run.dalek, task.inputFile, task.hostileFile, ...numbers];
  const child = spawn('taskset', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  return JSON.parse(await outputOf(child, 'dalek-peer', limitSeconds * 1000));
}

function buildDalek(): Promise<string> {
  return cachedBuild({
    name: 'dalek',
    inputs: ['Cargo.toml', 'Cargo.lock', join('src', 'main.rs')].map((file) => join(DALEK, file)),
    commands: (folder) => [
      {
        program: 'cargo',
        args: ['build', '--quiet', '--release', '--locked', '--target-dir', folder],
        cwd: DALEK,
      },
    ],
    limitMs: BUILD_LIMIT_MS,
  });
}

function rowOf({ spec, rounds, notRun }: Measured): Row {
  const row = { suite: 'peers', kind: 'engine', peer: spec.peer, version: spec.version(), batch: spec.batch };
  const [first] = rounds;
  if (notRun !== undefined || first === undefined)
    return { ...row, cannot: [], notRun: notRun ?? 'no round' };
  const middle = (figure: (round: EngineRound) => number): number => significant(median(rounds.map(figure)));
  return {
    ...row,
    credentialsPerSecond: middle(({ perSecond }) => perSecond),
    p99Ms: middle(({ p99Ms }) => p99Ms),
    cpuUsPerVerification: middle(({ cpuUsPerVerification }) => cpuUsPerVerification),
    rssMiB: middle(({ rssMiB }) => rssMiB),
    cannot: [...spec.cannot, ...findingsOf(rounds)],
    // The core is the engine's alone: nothing else could hold it down.
    bottleneck: 'server',
    wrong: rounds.some(({ allHold, acceptsAltered }) => !allHold || acceptsAltered),
    roundsPerSecond: rounds.map(({ perSecond }) => significant(perSecond)),
  };
}

/** What its own verdicts on hostile signatures show. */
function findingsOf(rounds: readonly EngineRound[]): string[] {
  const counts = rounds.map(({ hostileAccepted }) => hostileAccepted);
  if (counts.every((count) => count === 0)) return [];
  if (counts.every((count) => count === HOSTILE_PAIRS))
    return ['refuse, as OpenSSL does, a signature whose R has a small-order part (checked)'];
  const found = `${counts[0]} of ${HOSTILE_PAIRS}`;
  return [`give every signature with a small-order part the same verdict: ${found} accepted (checked)`];
}
