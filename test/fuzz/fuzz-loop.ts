/**
 * Mutates the corpus for as long as it may: inputs that run what nothing ran before stay and are mutated in their turn.
 * The same seed makes the same inputs, as far as the target runs the same for the same input.
 */
import { createRandom } from '../signature/fuzz-cases.ts';
import type { Coverage } from './coverage.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { type Materials, mutateInput } from './mutate-input.ts';

export interface Finding {
  readonly input: Buffer;
  readonly what: string;
}

export interface FuzzRun {
  readonly cases: number;
  readonly finding: Finding | undefined;
  /** Those that were kept for what they ran, beside the corpus. */
  readonly kept: readonly Buffer[];
}

export interface FuzzRules {
  readonly seed: number;
  readonly corpus: readonly Buffer[];
  readonly coverage: Coverage;
  isDone(cases: number): boolean;
}

/** Between two looks at what was run, each of which costs as much as some hundred small inputs. */
const CASES_BETWEEN_LOOKS = 128;
/** Beyond it, further ones would be mutated too seldom to find anything. */
const MOST_KEPT = 2_000;

export async function fuzz(target: FuzzTarget, rules: FuzzRules): Promise<FuzzRun> {
  const { corpus, coverage, isDone } = rules;
  const random = createRandom(rules.seed);
  const inputs: Buffer[] = [...corpus];
  const words = target.words.map((word) => (typeof word === 'string' ? Buffer.from(word) : word));
  const materials: Materials = { words, inputs };
  const end = (cases: number, finding?: Finding): FuzzRun => ({
    cases,
    finding,
    kept: inputs.slice(corpus.length),
  });

  let cases = 0;
  for (const input of corpus) {
    const finding = await tryOne(target, input);
    cases++;
    if (finding !== undefined) return end(cases, finding);
  }
  coverage.takeNew();
  while (!isDone(cases)) {
    const tried: Buffer[] = [];
    while (tried.length < CASES_BETWEEN_LOOKS && !isDone(cases)) {
      const input = mutateInput(random, pickOne(random, inputs), materials);
      tried.push(input);
      const finding = await tryOne(target, input);
      cases++;
      if (finding !== undefined) return end(cases, await shrunk(target, finding));
    }
    if (coverage.takeNew() === 0 || inputs.length >= MOST_KEPT) continue;
    const { did, finding } = await thoseThatDid(target, tried, coverage);
    inputs.push(...did);
    if (finding !== undefined) return end(cases, await shrunk(target, finding));
  }
  return end(cases);
}

/** One of the newest, at times, since nothing has been made of it yet. */
function pickOne(random: ReturnType<typeof createRandom>, inputs: readonly Buffer[]): Buffer {
  if (random.below(3) > 0) return random.pick(inputs);
  return inputs[inputs.length - 1 - random.below(Math.min(16, inputs.length))] as Buffer;
}

async function tryOne(target: FuzzTarget, input: Buffer): Promise<Finding | undefined> {
  try {
    // A copy: what the target does to its input must not change what is told of it.
    const what = await target.run(Buffer.from(input));
    return what === undefined ? undefined : { input, what };
  } catch (error) {
    return {
      input,
      what: error instanceof Error ? `it threw: ${error.stack ?? error.message}` : String(error),
    };
  }
}

/**
 * Which of these ran what is new, found by halves: asking what was run costs more than running. The coverage has just seen
 * it of all of them together. What was in order may be wrong when it is run again, after others than the first time: that is
 * a finding as any other.
 */
async function thoseThatDid(
  target: FuzzTarget,
  tried: readonly Buffer[],
  coverage: Coverage,
): Promise<{ readonly did: readonly Buffer[]; readonly finding: Finding | undefined }> {
  if (tried.length === 1) return { did: tried, finding: undefined };
  const remember = coverage.forgetLast();
  const did: Buffer[] = [];
  const middle = tried.length >> 1;
  for (const half of [tried.slice(0, middle), tried.slice(middle)]) {
    for (const input of half) {
      const finding = await tryOne(target, input);
      if (finding !== undefined) return { did, finding };
    }
    if (coverage.takeNew() === 0) continue;
    const inHalf = await thoseThatDid(target, half, coverage);
    did.push(...inHalf.did);
    if (inHalf.finding !== undefined) return { did, finding: inHalf.finding };
  }
  // What only ran by chance must not be new for ever.
  remember();
  return { did, finding: undefined };
}

const SHRINK_MS = 3_000;

/** The same finding in fewer bytes, as far as a few seconds of leaving pieces out find one. */
async function shrunk(target: FuzzTarget, finding: Finding): Promise<Finding> {
  const endsAtMs = performance.now() + SHRINK_MS;
  let least = finding;
  for (let size = least.input.length >> 1; size > 0; size >>= 1) {
    for (let at = 0; at < least.input.length && performance.now() < endsAtMs; ) {
      const { input } = least;
      const smaller = await tryOne(target, Buffer.concat([input.subarray(0, at), input.subarray(at + size)]));
      if (smaller === undefined) at += size;
      else least = smaller;
    }
  }
  return least;
}
