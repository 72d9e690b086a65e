/**
 * Generated and mutated credentials through the native decoder, against the reference decoder:
 *
 *     npm run fuzz:decoder -- [--cases N | --seconds S] [--seed S]
 *
 * Exit code 0 when what native code decoded is what the reference reads; 1 on any difference; 2 for wrong usage, or when
 * nothing native is built.
 */
import { loadNativeAddon } from '../../src/native/addon.ts';
import { createRandom } from '../signature/fuzz-cases.ts';
import { FUZZ_USAGE, readFuzzArguments, refuseToFuzz, SHOWN } from '../support/fuzz-command.ts';
import { createDecoderComparison } from './decoder-comparison.ts';

process.exitCode = main();

function main(): 0 | 1 | 2 {
  const options = readFuzzArguments(process.argv.slice(2));
  if (options === undefined) return refuseToFuzz(`usage: npm run fuzz:decoder -- ${FUZZ_USAGE}`);
  const loaded = loadNativeAddon();
  if (!loaded.ok) return refuseToFuzz(`the native decoder ${loaded.because}`);
  const comparison = createDecoderComparison(loaded.addon, createRandom(options.seed));
  let differences = 0;
  while (!options.isDone(comparison.cases)) {
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
