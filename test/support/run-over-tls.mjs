/**
 * Runs tests of HTTP once more with TLS on every gateway's data listener: what holds for plain connections must hold for
 * these. Arguments are vitest's; without any, the suites of framing, bodies, batches, draining and threads that fail, and
 * after them those of them that take long.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCertificates } from './certificates.ts';

const SUITES = ['framing', 'bodies', 'streamed-batches', 'drain', 'problems', 'workers'].concat([
  'callers',
  'worker-faults',
]);
const LONG_SUITES = ['late-batch-answers', 'worker-replacement'];

const dir = mkdtempSync(join(tmpdir(), 'vigie-over-tls-'));
const certificates = createCertificates(dir);
certificates.authority('authority', ['server']);
const env = { ...process.env, VIGIE_TEST_TLS_DIR: dir, NODE_EXTRA_CA_CERTS: join(dir, 'authority.pem') };

/** @param {readonly string[]} args */
function run(...args) {
  return spawnSync('npx', ['vitest', 'run', ...args], { stdio: 'inherit', env }).status ?? 1;
}

/** A file that was moved would be left out without a word: vitest runs what it finds of several. */
function filesOf(folder, suites) {
  const files = suites.map((suite) => `${folder}/${suite}.test.ts`);
  const missing = files.filter((file) => !existsSync(file));
  if (missing.length > 0) throw new Error(`not there: ${missing.join(', ')}`);
  return files;
}

const given = process.argv.slice(2);
try {
  const runs =
    given.length > 0
      ? [given]
      : [
          filesOf('test/http', SUITES),
          ['--config', 'vitest.full.config.ts', ...filesOf('test/http/full', LONG_SUITES)],
        ];
  process.exitCode = Math.max(...runs.map((args) => run(...args)));
} finally {
  rmSync(dir, { recursive: true, force: true });
}
