/**
 * Fuzzing, guided by coverage where the target is TypeScript:
 *
 *     npm run fuzz -- <target>|all [--seconds S | --cases N] [--seed S] [--keep]
 *     npm run fuzz -- <target> --input <hex>
 *
 * `all` runs every target for so many seconds, two at a time. A finding is printed with its seed and its input, which
 * `--input` tries again; so is the input at which a target's process ended. `--keep` adds to the corpus what ran code that
 * nothing in it runs. Exit code 0 when nothing was found; 1 on a finding; 2 for wrong usage, or when what a target needs
 * is not there.
 */
import { readFuzzArguments, refuseToFuzz } from '../support/fuzz-command.ts';
import { readOwnArguments } from './fuzz-arguments.ts';
import { runAll } from './run-all.ts';
import { ALL_TARGETS } from './target-names.ts';

const USAGE = `usage: npm run fuzz -- <target>|all [--seconds S | --cases N] [--seed S] [--keep | --input <hex>]
targets: ${ALL_TARGETS.join(', ')}`;

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<0 | 1 | 2> {
  const own = readOwnArguments(args);
  if (own === undefined || readFuzzArguments(own.shared) === undefined) return refuseToFuzz(USAGE);
  const wanted = own.name === 'all' ? ALL_TARGETS : ALL_TARGETS.filter((target) => target === own.name);
  if (wanted.length === 0 || (own.name === 'all' && own.input !== undefined)) return refuseToFuzz(USAGE);
  return await runAll(wanted, own);
}
