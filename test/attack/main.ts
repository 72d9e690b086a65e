/** `npm run attack`: every attack of the list against a fresh gateway, a row each. See --help. */
import { parseArgs } from 'node:util';
import { firstLook, MOST_GROWTH_MIB, type Rest, restAfter } from './at-rest.ts';
import { openTarget } from './attack-target.ts';
import { ATTACKS } from './cases/all.ts';
import { type AttackRow, runAttacks } from './run-attacks.ts';

const HELP = `Usage: npm run attack -- [options]

Attacks a fresh gateway: every number of the list in SECURITY.md, each case with one exact expected answer, to the
data listener over raw sockets. A case to which nothing comes fails in its own time. After each case the process must live, answer an honest request rightly, and have no payload in its log; in
the end its memory and descriptors must be back at rest. Exit code 0 if all of that is so, 1 if not, 2 for usage.

  --only 1,17,40-44  only the cases of these numbers
  --json             one JSON document in the place of the table
  --help             this text`;

const { values } = argumentsOf();
if (values.help === true) {
  console.log(HELP);
  process.exit(0);
}
const chosen = values.only === undefined ? undefined : numbersOf(values.only);
const cases = ATTACKS.filter(({ number }) => chosen?.has(number) ?? true);

const target = await openTarget();
try {
  const before = await firstLook(target);
  if (values.json !== true) console.log(lineOf('#', 'case', 'sent', 'expected', 'got'));
  const rows = await runAttacks(target, cases, (row) => {
    if (values.json !== true) console.log(rowLines(row));
  });
  // A gateway that has ended is no reason to keep what its attacks got.
  const rest = await restAfter(target, before, cases).catch((error: Error) => error.message);
  if (values.json === true) console.log(JSON.stringify({ rows, rest }, null, 1));
  else {
    const wrong = rows.filter(({ isRight }) => !isRight).length;
    console.log(`\n${rows.length - wrong} as expected, ${wrong} not`);
    console.log(typeof rest === 'string' ? `the end: ${rest}` : restLines(rest));
  }
  const isWell = typeof rest !== 'string' && rest.isAtRest && rest.wrong.length === 0;
  if (!isWell || rows.some(({ isRight }) => !isRight)) process.exitCode = 1;
} finally {
  await target.dispose();
}
// What a case that got nothing began may still wait.
process.exit();

function argumentsOf() {
  try {
    return parseArgs({
      options: { only: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
    });
  } catch (error) {
    return usage((error as Error).message);
  }
}

/** `1,17,40-44`; every number must have a case. */
function numbersOf(list: string): ReadonlySet<number> {
  const numbers = list.split(',').flatMap((part) => {
    const [first = Number.NaN, last = first] = part.split('-').map((text) => Number(text || Number.NaN));
    return Array.from({ length: Math.max(0, Math.min(last - first + 1, 100)) }, (_, index) => first + index);
  });
  const unknown = numbers.filter((number) => !ATTACKS.some((attack) => attack.number === number));
  if (numbers.length === 0 || unknown.length > 0) usage(`--only: numbers from 1 to 98, not ${list}`);
  return new Set(numbers);
}

function usage(fault: string): never {
  console.error(`${fault}\n\n${HELP}`);
  process.exit(2);
}

function lineOf(number: string, name: string, sent: string, expected: string, got: string): string {
  const cell = (text: string, chars: number): string =>
    (text.length > chars ? `${text.slice(0, chars - 1)}…` : text).padEnd(chars);
  return [number.padStart(2), cell(name, 40), cell(sent, 36), cell(expected, 38), got].join('  ');
}

function restLines({ before, after, afterAgain, isAtRest, wrong }: Rest): string {
  const [first, second, third] = [before, after, afterAgain].map(({ residentMiB }) => residentMiB.toFixed(0));
  const lines = [
    `memory: ${first} MiB before, ${second} after, ${third} after the largest again (at most ${MOST_GROWTH_MIB} more)`,
    `descriptors: ${before.descriptors} before, ${after.descriptors} after, ${afterAgain.descriptors} after that`,
    ...wrong.map(({ number, name, got }) => `run again, ${number} ${name}: ${got}`),
    ...(isAtRest ? [] : ['the gateway is NOT back at rest']),
  ];
  return lines.join('\n');
}

/** What was wrong stands there whole, below. */
function rowLines({ number, name, sent, expected, got, isRight }: AttackRow): string {
  const line = lineOf(String(number), name, sent, expected, `${isRight ? '✓' : '✗'} ${got}`);
  return isRight ? line : `${line}\n    expected: ${expected}\n    got:      ${got}`;
}
