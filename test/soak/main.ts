/**
 * `npm run soak -- --minutes 30`: the mixed soak, and a page of what came of it. Exit code 0 when nothing was wrong, 2 for
 * arguments that are none; `--watch` prints memory as it goes, `--json` one document in the place of the page.
 */
import { parseArgs } from 'node:util';
import { mixedSoak } from './mixed/mixed-soak.ts';
import { page } from './mixed/page.ts';

interface Arguments {
  readonly minutes: number;
  readonly watch: boolean;
  readonly json: boolean;
}

/** `undefined`: wrong usage. */
function readArguments(): Arguments | undefined {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: 'string', default: '30' },
        watch: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    const minutes = Number(values.minutes);
    return minutes > 0 && minutes <= 24 * 60 ? { ...values, minutes } : undefined;
  } catch {
    return undefined;
  }
}

const values = readArguments();
if (values === undefined) {
  console.error('usage: npm run soak -- [--minutes M, from above 0 to 1440] [--watch] [--json]');
  process.exit(2);
}
const watch = (atSeconds: number, mib: readonly number[]): void =>
  console.error(`${atSeconds.toFixed(0)} s: ${mib.map((count) => `${count.toFixed(1)} MiB`).join(', ')}`);
const soak = await mixedSoak(60 * values.minutes, values.watch ? watch : undefined);
if (values.json) {
  const { attacks, ...others } = soak;
  console.log(JSON.stringify({ ...others, attacks: { ...attacks, cases: attacks.cases.size } }));
} else console.log(page(soak));
// What a fault left waiting must not keep the process from its exit code.
process.exit(soak.faults.length > 0 ? 1 : 0);
