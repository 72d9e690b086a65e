/**
 * Mutated signatures through every implementation of the kernel, with keys prepared and not, in batches of every
 * size, against the openssl engine:
 *
 *     npm run fuzz:kernel -- [--cases N | --seconds S] [--seed S]
 *
 * Exit code 0 when all verdicts agree; 1 on any disagreement; 2 for wrong usage, or when nothing native is built.
 */
import { IMPLEMENTATIONS, type KernelImplementation, loadNativeAddon } from '../../src/native/addon.ts';
import type { SignatureCheck, SignatureEngine } from '../../src/signature/engine.ts';
import { engineOn } from '../../src/signature/native-engine.ts';
import { createOpensslEngine } from '../../src/signature/openssl-engine.ts';
import { FUZZ_USAGE, readFuzzArguments, refuseToFuzz, SHOWN } from '../support/fuzz-command.ts';
import { createCaseSource, createRandom, describeCase } from './fuzz-cases.ts';

const STORE_BYTES = 256 * 1024 * 1024;
const MAX_BATCH = 300;

process.exitCode = main();

function main(): 0 | 1 | 2 {
  const options = readFuzzArguments(process.argv.slice(2));
  if (options === undefined) return refuseToFuzz(`usage: npm run fuzz:kernel -- ${FUZZ_USAGE}`);
  const loaded = loadNativeAddon();
  if (!loaded.ok) return refuseToFuzz(`the native engine ${loaded.because}`);
  const { addon } = loaded;

  const random = createRandom(options.seed);
  const source = createCaseSource(random);
  const widths = addon.maxWindowBits - addon.minWindowBits + 1;
  // Two thirds of the keys, in every width there is; cases are under the others as well, and under new ones.
  source.keys.forEach((key, index) => {
    if (index % 3 !== 2) addon.prepareKeyNow(key, addon.minWindowBits + (index % widths), STORE_BYTES);
  });
  const engines = addon.implementations().flatMap((number) =>
    [true, false].map((usesPreparedKeys): SignatureEngine => {
      const kernel = IMPLEMENTATIONS[number] as KernelImplementation;
      const engine = engineOn(addon, kernel, { keyCacheBytes: STORE_BYTES, usesPreparedKeys });
      return { ...engine, implementation: `${kernel}${usesPreparedKeys ? '' : ', no key prepared'}` };
    }),
  );
  const oracle = createOpensslEngine({ keyCacheBytes: 1024 * 1024 });

  let accepted = 0;
  let disagreements = 0;
  let done = 0;
  while (!options.isDone(done)) {
    const size = Math.min(1 + random.below(random.below(4) === 0 ? MAX_BATCH : 20), options.cases - done);
    const batch = Array.from({ length: size }, () => source.next());
    const expected = oracle.verify(batch);
    for (const engine of engines) disagreements += compare(engine, batch, expected, disagreements);
    accepted += expected.reduce((sum, verdict) => sum + verdict, 0);
    done += size;
  }
  console.log(
    `${done} cases, seed ${options.seed}, ${accepted} of them accepted by ${oracle.implementation}; ` +
      `${engines.map(({ implementation }) => implementation).join('; ')}: ${disagreements} disagreements`,
  );
  return disagreements === 0 ? 0 : 1;
}

function compare(
  engine: SignatureEngine,
  batch: readonly SignatureCheck[],
  expected: Uint8Array,
  before: number,
): number {
  const verdicts = engine.verify(batch);
  const differing = batch.flatMap((check, index) =>
    verdicts[index] === expected[index] ? [] : [{ check, index }],
  );
  for (const { check, index } of differing.slice(0, Math.max(0, SHOWN - before))) {
    const place = `check ${index} of ${batch.length}`;
    console.log(`${engine.implementation} says ${verdicts[index]}, ${place}: ${describeCase(check)}`);
  }
  return differing.length;
}
