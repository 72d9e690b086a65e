/** Every temporary file of a test run stands under one directory, which goes with the run. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** vitest's global set-up: test processes, and what they start, inherit TMPDIR. Returns the tear-down. */
export default function setup(): () => void {
  const root = mkdtempSync(join(tmpdir(), 'vigie-tests-'));
  process.env.TMPDIR = root;
  return () => rmSync(root, { recursive: true, force: true });
}
