/**
 * Generated and mutated credentials and holder proofs through the native decoders, against the reference decoders:
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
import { createProofComparison } from './proof-comparison.ts';

process.exitCode = main();

function main(): 0 | 1 | 2 {
  const options = readFuzzArguments(process.argv.slice(2));
  if (options === undefined) return refuseToFuzz(`usage: npm run fuzz:decoder -- ${FUZZ_USAGE}`);
  const loaded = loadNativeAddon();
  if (!loaded.ok) return refuseToFuzz(`the native decoder ${loaded.because}`);
  const random = createRandom(options.seed);
  const comparisons = [createDecoderComparison, createProofComparison].map((of) => of(loaded.addon, random));
  const sum = (of: 'cases' | 'decoded') => comparisons.reduce((total, { [of]: count }) => total + count, 0);
  let differences = 0;
  while (!options.isDone(sum('cases'))) {
    const found = comparisons.flatMap((comparison) => comparison.next());
    for (const difference of found.slice(0, Math.max(0, SHOWN - differences))) console.log(difference);
    differences += found.length;
  }
  console.log(
    `${sum('cases')} cases, seed ${options.seed}, ${sum('decoded')} of them decoded natively: ${differences} differences`,
  );
  return differences === 0 && comparisons.every(({ decoded }) => decoded > 0) ? 0 : 1;
}
