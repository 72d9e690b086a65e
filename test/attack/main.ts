/**
 * `npm run attack`: every attack of the list against a fresh gateway, a row each. Exit code 0 when all were answered as
 * expected and the gateway's memory and descriptors are back at rest; `--json` prints one document, `--only 1,17` some.
 */

import { atRest, footprint, openTarget } from './attack-target.ts';
import { ATTACKS } from './cases/all.ts';
import { type AttackRow, runAttacks } from './run-attacks.ts';

/** What the process may have grown by, at rest: its compiler's and allocator's own, not what was sent. */
const MOST_GROWTH_MIB = 96;
const COLUMN_CHARS = 44;

const isJson = process.argv.includes('--json');
const only = process.argv[process.argv.indexOf('--only') + 1]?.split(',').map(Number);
const isPartial = process.argv.includes('--only') && only !== undefined;
const cases = isPartial ? ATTACKS.filter(({ number }) => only.includes(number)) : ATTACKS;

const shortened = (text: string): string =>
  (text.length > COLUMN_CHARS ? `${text.slice(0, COLUMN_CHARS - 1)}…` : text).padEnd(COLUMN_CHARS);
const line = ({ number, name, sent, expected, got, isRight }: AttackRow): string =>
  [
    String(number).padStart(2),
    shortened(name),
    shortened(sent),
    shortened(expected),
    isRight ? 'as expected' : `GOT ${got}`,
  ]
    .join('  ')
    .trimEnd();

const target = await openTarget();
try {
  // Once through the honest path: what it needs for ever is there before the first look.
  await target.stillHonest();
  const before = await footprint(target);
  const rows = await runAttacks(target, cases, (row) => {
    if (!isJson) console.log(line(row));
  });
  const after = await atRest(target, before.descriptors);
  const wrong = rows.filter(({ isRight }) => !isRight).length;
  const isAtRest =
    after.descriptors <= before.descriptors && after.residentMiB - before.residentMiB <= MOST_GROWTH_MIB;
  if (isJson) console.log(JSON.stringify({ rows, before, after, isAtRest }));
  else {
    const memory = `${before.residentMiB.toFixed(0)} MiB before, ${after.residentMiB.toFixed(0)} MiB after`;
    console.log(`\n${rows.length - wrong} as expected, ${wrong} not; at rest: ${memory}`);
    console.log(`descriptors: ${before.descriptors} before, ${after.descriptors} after`);
  }
  if (wrong > 0 || !isAtRest) process.exitCode = 1;
} finally {
  await target.dispose();
}
