import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { change, closeStore, openGateway, temporaryDirectory, testClock } from '../store-fixture.ts';

const SCRIPT = fileURLToPath(new URL('../revoke-until-killed.ts', import.meta.url));
const KILLS = 20;

/** Runs the script until it acknowledged so many calls, then kills it. Returns all it acknowledged. */
function runAndKill(dir: string, prefix: string, acknowledgements: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', SCRIPT, dir, prefix]);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString('latin1');
      if (stdout.split('\n').length > acknowledgements) child.kill('SIGKILL');
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('utf8');
    });
    child.on('close', (_, signal) => {
      if (signal === 'SIGKILL') resolve(stdout.split('\n').slice(0, -1));
      else reject(new Error(stderr));
    });
  });
}

it(`loses no acknowledged revocation to kill -9, ${KILLS} times over, and no call by half`, async () => {
  const dir = join(temporaryDirectory(), 'status');
  const acknowledged: string[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const lines = await runAndKill(dir, `run${kill}`, 1 + (kill % 5));
    const { store, statusOf, changes, apply } = await openGateway(dir, testClock());
    const calls = lines.map((line) => Number(line.split(' ')[0]));
    for (const call of calls) acknowledged.push(`run${kill}-${call}`);
    for (const call of acknowledged) {
      for (const part of [0, 1, 2]) expect(statusOf(`${call}-${part}`).status).toBe('revoked');
      expect(apply(change(`${call}-0`, 'active')).outcome).toBe('revocation-final');
    }
    // The call after the last acknowledged one may have been under way: all three of it hold, or none.
    const next = calls.length;
    const maybe = [0, 1, 2].map((part) => statusOf(`run${kill}-${next}-${part}`).status);
    expect(new Set(maybe).size).toBe(1);
    const { seq, revoked } = changes.summary() ?? {};
    expect(seq).toBe(revoked);
    expect(revoked).toBeGreaterThanOrEqual(acknowledged.length * 3);
    expect(Number(lines.at(-1)?.split(' ')[1])).toBeLessThanOrEqual(seq as number);
    await closeStore(store);
  }
}, 120_000);
