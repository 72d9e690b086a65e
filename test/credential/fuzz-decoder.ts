/**
 * Generated and mutated credentials through the native decoder, against the reference decoder:
 *
 *     npm run fuzz:decoder -- --cases N --seed S
 *
 * Exit code 0 when what native code decoded is what the reference reads; 1 on any difference; 2 for wrong usage, or when
 * nothing native is built.
 */
import { parseArgs } from 'node:util';
import { loadNativeAddon } from '../../src/native/addon.ts';
import { createRandom } from '../signature/fuzz-cases.ts';
import { createDecoderComparison } from './decoder-comparison.ts';

/** More would say no more, and hide the first. */
const SHOWN = 10;

process.exitCode = main();

function main(): 0 | 1 | 2 {
  const options = readArguments(process.argv.slice(2));
  if (options === undefined) return refuse('usage: npm run fuzz:decoder -- [--cases N] [--seed S]');
  const loaded = loadNativeAddon();
  if (!loaded.ok) return refuse(`the native decoder ${loaded.because}`);
  const comparison = createDecoderComparison(loaded.addon, createRandom(options.seed));
  let differences = 0;
  while (comparison.cases < options.cases) {
    const found = comparison.next();
    for (const difference of found.slice(0, Math.max(0, SHOWN - differences))) console.log(difference);
    differences += found.length;
  }
  const { cases, decoded } = comparison;
  console.log(
    `${cases} cases, seed ${options.seed}, ${decoded} of them decoded natively: ${differences} differences`,
  );
  return differences === 0 && decoded > 0 ? 0 : 1;
}

function readArguments(args: string[]): { cases: number; seed: number } | undefined {
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

function refuse(why: string): 2 {
  process.stderr.write(`${why}\n`);
  return 2;
}
