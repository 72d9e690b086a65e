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
const LIMIT_MS = 600_000;

/** One run of the gate against the commit that is checked out. */
function gate(...args: string[]): { readonly status: number | null; readonly rows: readonly GateRow[] } {
  const command = [BENCH, 'gate', '--base', 'HEAD', '--json', ...args];
  const { status, stdout } = spawnSync(process.execPath, command, {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    timeout: LIMIT_MS,
  });
  return { status, rows: status === 0 || status === 1 ? parseRows(stdout) : [] };
}

function parseRows(stdout: string): readonly GateRow[] {
  try {
    return (JSON.parse(stdout) as { readonly rows: readonly GateRow[] }).rows;
  } catch {
    return [];
  }
}

/** Again, with more blocks, where a run could not tell: a busy machine is no proof of either. */
function prove(what: string, args: readonly string[], verdict: string, status: number): boolean {
  for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
    const result = gate(...args, '--rounds', String(4 * attempt));
    for (const row of result.rows) console.log(`${what}: ${JSON.stringify(row)}`);
    const isProven = result.rows.length > 0 && result.rows.every((row) => row.verdict === verdict);
    if (isProven) return result.status === status;
    if (!result.rows.some((row) => row.verdict === 'inconclusive')) return false;
  }
  return false;
}

const caught = prove('15 % slower', ['--inject', '0.15'], 'regression', 1);
// What differs from the commit would be measured too, so this means a checkout without changes of the service.
const passed = prove('the same', [], 'no regression', 0);
console.log(
  `a slowdown of 15 % is ${caught ? '' : 'NOT '}caught; the same code ${passed ? 'passes' : 'does NOT pass'}`,
);
process.exitCode = caught && passed ? 0 : 1;
