import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { copyWithSlowdown, resolveCommit } from '../../bench/src/gate/checkouts.ts';
import { DIST_DIR } from '../../bench/src/paths.ts';
import { Unavailable } from '../../bench/src/suite.ts';

const folder = mkdtempSync(join(tmpdir(), 'vigie-gate-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('a slowdown is put into the copy alone, at the head of each verification, and the copy still loads', () => {
  const shipped = readFileSync(join(DIST_DIR, 'gateway.js'), 'utf8');
  copyWithSlowdown(0.15, folder);
  const file = join(folder, 'dist', 'gateway.js');
  const slowed = readFileSync(file, 'utf8');
  expect(slowed).toMatch(/^export function verifySlice\(.*\{\n {4}burnShare\(\);\n/m);
  expect(slowed).toContain('share: 0.15');
  expect(readFileSync(join(DIST_DIR, 'gateway.js'), 'utf8')).toBe(shipped);
  expect(shipped).not.toContain('burnShare');
  // By Node itself: the runner of the tests would look for sources beside the copy.
  const script = `console.log(typeof (await import('${pathToFileURL(file)}')).verifySlice)`;
  const type = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(type).toBe('function\n');
});

it.each(['no-such-branch', '--help', 'HEAD:package.json'])('%s is no commit to compare with', (ref) => {
  expect(() => resolveCommit(ref)).toThrow(Unavailable);
});
