/** What the fuzzers' commands have in common: how many cases or how long, from which seed, and how a wrong call is refused. */
import { parseArgs } from 'node:util';

/** More differences shown would say no more, and hide the first. */
export const SHOWN = 10;

export interface FuzzOptions {
  /** Infinite where time is what ends it. */
  readonly cases: number;
  readonly seed: number;
  /** Whether so many cases are enough. */
  isDone(cases: number): boolean;
}

export const FUZZ_USAGE = '[--cases N | --seconds S] [--seed S]';

/** `undefined`: wrong usage. */
export function readFuzzArguments(args: string[]): FuzzOptions | undefined {
  try {
    const { values } = parseArgs({
      args,
      options: {
        cases: { type: 'string' },
        seconds: { type: 'string' },
        seed: { type: 'string', default: '1' },
      },
    });
    if (values.cases !== undefined && values.seconds !== undefined) return undefined;
    const seconds = Number(values.seconds ?? Number.POSITIVE_INFINITY);
    const isTimed = values.seconds !== undefined;
    const cases = isTimed ? Number.POSITIVE_INFINITY : Number(values.cases ?? 100_000);
    const seed = Number(values.seed);
    if (!(cases > 0 && seconds > 0 && Number.isSafeInteger(seed))) return undefined;
    if (!isTimed && !Number.isSafeInteger(cases)) return undefined;
    const endsAtMs = performance.now() + 1000 * seconds;
    return { cases, seed, isDone: (done) => done >= cases || performance.now() >= endsAtMs };
  } catch {
    return undefined;
  }
}

/** The exit code, once it was said why. */
export function refuseToFuzz(why: string): 2 {
  process.stderr.write(`${why}\n`);
  return 2;
}
