/** The scenarios suite as it is called: real gateways, a real Redis, our own runner. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const BENCH = fileURLToPath(new URL('../../bench', import.meta.url));
/** A busy machine is given its time; the load itself takes a second. */
const LIMIT_MS = 120_000;
/** The command is ended sooner, so that the test says what it said and leaves no process. */
const COMMAND_LIMIT_MS = 100_000;

interface Report {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly warnings: readonly string[];
}

async function bench(...args: readonly string[]): Promise<{ code: number; report: Report }> {
  const command = ['--import', 'tsx', 'src/main.ts', 'scenarios', '--runner', 'own', '--json', ...args];
  const child = spawn(process.execPath, command, {
    cwd: BENCH,
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: COMMAND_LIMIT_MS,
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [code, signal] = await once(child, 'close');
  if (output === '') throw new Error(`the bench printed nothing (${signal ?? `exit ${code}`})`);
  return { code, report: JSON.parse(output) };
}

describe('npm run bench -- scenarios', () => {
  it(
    'exits with 1, and says which, where one expectation of each pool is wrong; all others are met',
    async () => {
      const { code, report } = await bench('--only', 'smoke', '--seconds', '2', '--falsify');
      const [row] = report.rows;
      expect(row).toMatchObject({ scenario: 'smoke', runner: 'own', pass: false });
      // Once each of the good and the bad, and the odd ones, of which there are few, twice.
      expect(row?.wrong).toBeGreaterThanOrEqual(3);
      expect(row?.wrong).toBeLessThanOrEqual(4);
      expect(row?.checked).toBeGreaterThan(90);
      expect(report.warnings.join('\n')).toContain(
        'expected invalid (replayed), rescan, got valid (ok), bill',
      );
      expect(code).toBe(1);
    },
    LIMIT_MS,
  );
});
