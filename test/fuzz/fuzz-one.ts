/** One target in a process of its own, which `main.ts` starts; the first argument names the file for the last input. */
import { readFuzzArguments, refuseToFuzz } from '../support/fuzz-command.ts';
import { addToCorpus, readCorpus } from './corpus-files.ts';
import { startCoverage } from './coverage.ts';
import { type OwnArguments, readOwnArguments } from './fuzz-arguments.ts';
import { fuzz } from './fuzz-loop.ts';
import type { FuzzTarget, OpenTarget } from './fuzz-target.ts';
import { writeLastInput } from './last-input.ts';
import { TARGETS } from './targets.ts';

const [lastInputFile = '', ...rest] = process.argv.slice(2);
const own = readOwnArguments(rest) as OwnArguments;
const target = await opened();
try {
  process.exitCode = await (own.input === undefined ? fuzzIt() : tryAgain(Buffer.from(own.input, 'hex')));
} finally {
  await target.close?.();
}
// Parts of the gateway that a target opened may keep timers: the verdict stands.
process.exit();

/** No finding, when what it needs is not there: native code, or a Redis. */
async function opened(): Promise<FuzzTarget> {
  try {
    return await (TARGETS[own.name] as OpenTarget)();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    process.exit(refuseToFuzz(`${own.name}: cannot be opened: ${why}`));
  }
}

async function fuzzIt(): Promise<0 | 1> {
  const { name, keep } = own;
  const options = readFuzzArguments(own.shared) as NonNullable<ReturnType<typeof readFuzzArguments>>;
  const coverage = startCoverage();
  const last = writeLastInput(lastInputFile);
  const noted: FuzzTarget = {
    ...target,
    run: (input) => {
      last.note(input);
      return target.run(input);
    },
  };
  const began = performance.now();
  const corpus = [
    ...target.seeds.map((seed) => Buffer.from(seed)),
    ...readCorpus(name).map((entry) => entry.input),
  ];
  const run = await fuzz(noted, { ...options, corpus, coverage });
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(
    `${name}: ${run.cases} cases in ${seconds} s, seed ${options.seed}, ${target.accepted()} accepted; ` +
      `${coverage.seen()} blocks run, ${run.kept.length} inputs kept`,
  );
  if (run.finding !== undefined) {
    const { what, input } = run.finding;
    console.log(`${name}: FOUND, seed ${options.seed}: ${what}\n  input ${input.toString('hex')}`);
    return 1;
  }
  if (keep) console.log(`${name}: ${addToCorpus(name, run.kept)} inputs added to the corpus`);
  if (target.accepted() > 0) return 0;
  console.log(`${name}: of some kind nothing was accepted, so that nothing but refusals was looked at`);
  return 1;
}

async function tryAgain(input: Buffer): Promise<0 | 1> {
  const what = await target.run(input);
  console.log(what ?? 'nothing is wrong with it');
  return what === undefined ? 0 : 1;
}
