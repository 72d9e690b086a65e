/** `npm run stack` itself: everything of a deployment, two faults, no wrong verdict, and nothing left behind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { Report } from '../../../deploy/stack/report.ts';

const MAIN = fileURLToPath(new URL('../../../deploy/stack/main.ts', import.meta.url));

it('brings all of it up, kills a gateway and the log, and sees no wrong verdict', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, '--seconds', '45', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors += chunk;
  });
  const [code] = await once(child, 'close');
  expect([code, errors]).toEqual([0, '']);
  const report: Report = JSON.parse(output);
  expect(report).toMatchObject({ wrongVerdicts: 0, wrong: [] });
  expect(report.phases.every(({ verdicts }) => verdicts > 1_000)).toBe(true);
  // Calls that failed were under way at a gateway that was killed; repeated, they were answered.
  expect(report.phases.map(({ failedAlsoWhenRepeated }) => failedAlsoWhenRepeated)).toEqual([0, 0, 0, 0, 0]);
  // The primary was away for a quarter of the time: for that long nobody could confirm, and answers said so.
  expect(report.staleSeconds).toBeGreaterThan(1);
  expect(report.revocationsAcknowledged).toBeGreaterThan(20);
  expect(report.changesAcknowledgedAgainAfterSeconds).not.toBeNull();
  expect(readdirSync(tmpdir()).filter((name) => name.startsWith('vigie-stack-'))).toEqual([]);
}, 240_000);
