/** What the fuzzers' commands have in common: how many cases, from which seed, and how a wrong call is refused. */
import { parseArgs } from 'node:util';

/** More differences shown would say no more, and hide the first. */
export const SHOWN = 10;

export interface FuzzOptions {
  readonly cases: number;
  readonly seed: number;
}

/** `undefined`: wrong usage. */
export function readFuzzArguments(args: string[]): FuzzOptions | undefined {
  try {
    const { values } = parseArgs({
      args,
      options: { cases: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } },
    });
    const cases = Number(values.cases);
    const seed = Number(values.seed);
    return Number.isSafeInteger(cases) && cases > 0 && Number.isSafeInteger(seed)
      ? { cases, seed }
      : undefined;
  } catch {
    return undefined;
  }
}

/** The exit code, once it was said why. */
export function refuseToFuzz(why: string): 2 {
  process.stderr.write(`${why}\n`);
  return 2;
}
