/** The arguments that `npm run fuzz` has beside those of all fuzzers. */
import { parseArgs } from 'node:util';

export interface OwnArguments {
  readonly name: string;
  /** Hexadecimal digits: the one input to try. */
  readonly input: string | undefined;
  readonly keep: boolean;
  /** What all fuzzers have in common (`readFuzzArguments`). */
  readonly shared: string[];
}

/** `undefined`: wrong usage. */
export function readOwnArguments(args: string[]): OwnArguments | undefined {
  try {
    const text = { type: 'string' } as const;
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        input: text,
        keep: { type: 'boolean', default: false },
        cases: text,
        seconds: text,
        seed: text,
      },
    });
    const [name, ...more] = positionals;
    const { input, keep, ...shared } = values;
    if (name === undefined || more.length > 0) return undefined;
    if (input !== undefined && !/^(?:[0-9a-f]{2})*$/.test(input)) return undefined;
    return {
      ...{ name, input, keep },
      shared: Object.entries(shared).flatMap(([key, value]) => [`--${key}`, value]),
    };
  } catch {
    return undefined;
  }
}

/** As another process is given them. */
export function writeOwnArguments({ input, keep, shared }: OwnArguments): string[] {
  return [...shared, ...(keep ? ['--keep'] : []), ...(input === undefined ? [] : ['--input', input])];
}
