/**
 * `npm run test:gate`: the bench's regression gate catches a slowdown of 15 % that was put in on purpose, and passes the
 * same code. With real gateways, so it takes some minutes and wants the machine for itself: part of `npm run test:full`.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

interface GateRow {
  readonly request: string;
  readonly verdict: string;
  readonly [figure: string]: unknown;
}

const BENCH = fileURLToPath(new URL('../../bench/run.mjs', import.meta.url));
const MOST_ATTEMPTS = 3;
/** What the gate takes by itself. */
const BLOCKS = 6;
const LIMIT_MS = 600_000;

/** One run of the gate against the commit that is checked out. */
function gate(...args: string[]): { readonly status: number | null; readonly rows: readonly GateRow[] } {
  const command = [BENCH, 'gate', '--base', 'HEAD', '--json', ...args];
  const { status, stdout } = spawnSync(process.execPath, command, {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    timeout: LIMIT_MS,
  });
  return { status, rows: parseRows(stdout) };
}

function parseRows(stdout: string): readonly GateRow[] {
  try {
    return (JSON.parse(stdout) as { readonly rows: readonly GateRow[] }).rows;
  } catch {
    return [];
  }
}

/** The verdicts, with more blocks again where they could not be told: a busy machine is no proof of either. */
function verdictsOf(what: string, args: readonly string[]) {
  let result = gate(...args, '--rounds', String(BLOCKS));
  for (let attempt = 2; attempt <= MOST_ATTEMPTS; attempt++) {
    if (!result.rows.some(({ verdict }) => verdict === 'inconclusive')) break;
    result = gate(...args, '--rounds', String(BLOCKS * attempt));
  }
  for (const row of result.rows) console.log(`${what}: ${JSON.stringify(row)}`);
  return { status: result.status, verdicts: result.rows.map(({ verdict }) => verdict) };
}

const slowed = verdictsOf('15 % slower', ['--inject', '0.15']);
const isCaught =
  slowed.status === 1 &&
  slowed.verdicts.length > 0 &&
  slowed.verdicts.every((verdict) => verdict === 'regression');
// What the service's files differ from the commit by would be measured too: this wants a checkout without changes.
const same = verdictsOf('the same', []);
const passes =
  same.status === 0 &&
  same.verdicts.length > 0 &&
  same.verdicts.every((verdict) => verdict === 'no regression');
console.log(
  `a slowdown of 15 % is ${isCaught ? '' : 'NOT '}caught; the same code ${passes ? 'passes' : 'does NOT pass'}`,
);
process.exitCode = isCaught && passes ? 0 : 1;
