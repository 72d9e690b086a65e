/** A gateway that is to end and cannot, since a call of the system never comes back: it is ended, and says so. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const PROGRAM = new URL('hangs-at-end.ts', import.meta.url).pathname;
/** It would hang for ever. */
const PATIENCE_MS = 25_000;

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'vigie-end-'));
  execFileSync('mkfifo', [join(dir, 'pipe')]);
});
afterAll(() => rmSync(dir, { recursive: true }));

it.each([
  ['in-a-stop', 'begun\n', 3],
  ['behind-all', 'begun\nstopped\n', 0],
])('a call that hangs %s keeps no process', (where, said, code) => {
  const words = ['--import', 'tsx', PROGRAM, where, join(dir, 'pipe')];
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, words, {
    encoding: 'utf8',
    timeout: PATIENCE_MS,
  });
  expect([stdout, status, signal]).toEqual([said, code, null]);
  expect(JSON.parse(stderr).msg).toContain('still waits for the system');
});
