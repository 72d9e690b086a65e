/**
 * Runs tests of HTTP once more with TLS on every gateway's data listener: what holds for plain connections must hold for
 * these. Arguments are vitest's; without any, the suites of framing, bodies, batches, draining and threads that fail.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCertificates } from './certificates.ts';

const SUITES = [
  'framing',
  'bodies',
  'streamed-batches',
  'late-batch-answers',
  'drain',
  'problems',
  'workers',
].concat(['callers', 'worker-faults', 'worker-replacement']);

const dir = mkdtempSync(join(tmpdir(), 'vigie-over-tls-'));
const certificates = createCertificates(dir);
certificates.authority('authority', ['server']);
const given = process.argv.slice(2);
const args = given.length > 0 ? given : SUITES.map((suite) => `test/http/${suite}.test.ts`);
const child = spawn('npx', ['vitest', 'run', ...args], {
  stdio: 'inherit',
  env: { ...process.env, VIGIE_TEST_TLS_DIR: dir, NODE_EXTRA_CA_CERTS: join(dir, 'authority.pem') },
});
child.once('exit', (code, signal) => {
  rmSync(dir, { recursive: true, force: true });
  process.exitCode = code ?? (signal === null ? 0 : 1);
});
