/** `npm run stack` itself: everything of a deployment, two faults, no wrong verdict, and nothing left behind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import type { Report } from '../../../deploy/stack/report.ts';

const MAIN = fileURLToPath(new URL('../../../deploy/stack/main.ts', import.meta.url));
/** The stack's files go here: others of this machine may have a stack of theirs. */
const temporary = mkdtempSync(join(tmpdir(), 'vigie-full-'));
const left = () => readdirSync(temporary).filter((name) => name.startsWith('vigie-stack-'));

afterAll(() => rmSync(temporary, { recursive: true, force: true }));

function runStack(...args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: temporary },
  });
  const said = { output: '', errors: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    said.output += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said.errors += chunk;
  });
  return { child, said, closed: once(child, 'close') };
}

/** Processes whose command line names the folder, those of the stack that is told apart by it. */
function processes(): string[] {
  const commandOf = (pid: string): string => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    } catch {
      return '';
    }
  };
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes(temporary));
}

it('interrupted while it comes up, it ends what has begun, and leaves nothing behind', async () => {
  const { child, said, closed } = runStack();
  // The first node of Redis is there, and most is not.
  await expect.poll(() => processes().length, { timeout: 60_000 }).toBeGreaterThan(0);
  child.kill('SIGTERM');
  expect(await closed).toEqual([3, null]);
  expect(said.errors).toBe('interrupted\n');
  expect(left()).toEqual([]);
  expect(processes()).toEqual([]);
}, 120_000);

it('brings all of it up, kills a gateway and the log, and sees no wrong verdict', async () => {
  const { said, closed } = runStack('--seconds', '45', '--json');
  const [code] = await closed;
  expect([code, said.errors]).toEqual([0, '']);
  const report: Report = JSON.parse(said.output);
  expect(report).toMatchObject({ wrongVerdicts: 0, wrong: [] });
  expect(report.phases.every(({ verdicts }) => verdicts > 1_000)).toBe(true);
  // Calls that failed were under way at a gateway that was killed; repeated, they were answered.
  expect(report.phases.map(({ failedAlsoWhenRepeated }) => failedAlsoWhenRepeated)).toEqual([0, 0, 0, 0, 0]);
  // The primary was away for a quarter of the time: for that long nobody could confirm, and answers said so.
  expect(report.staleSeconds).toBeGreaterThan(1);
  expect(report.revocationsAcknowledged).toBeGreaterThan(20);
  expect(report.changesAcknowledgedAgainAfterSeconds).not.toBeNull();
  expect(left()).toEqual([]);
}, 240_000);
