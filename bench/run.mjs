#!/usr/bin/env node
/**
 * Entry of `npm run bench`, plain JavaScript because nothing is installed yet when it runs first: installs the
 * bench's own packages when they are missing or older than the lockfile, builds the service when a suite is
 * named, and runs the bench. Standard output belongs to the bench alone; everything said here goes to standard
 * error, so that `--json` leaves one object on it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const bench = dirname(fileURLToPath(import.meta.url));
const root = dirname(bench);
const args = process.argv.slice(2);

/** Runs a preparation step, its output on standard error; ends the process when it fails. */
function prepare(command, commandArgs) {
  const { status, error } = spawnSync(command, commandArgs, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  console.error(`bench: ${[command, ...commandArgs].join(' ')} failed${error ? `: ${error.message}` : ''}`);
  process.exit(3);
}

// The stamp is the hash of the lockfile that was installed: dates change with every checkout, content does not.
const stampFile = join(bench, 'node_modules', '.lockfile-sha256');
const lockfileHash = createHash('sha256')
  .update(readFileSync(join(bench, 'package-lock.json')))
  .digest('hex');
if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== lockfileHash) {
  console.error('bench: installing its packages (first use, or the lockfile changed)');
  prepare('npm', ['ci', '--prefix', bench]);
  writeFileSync(stampFile, lockfileHash);
}

const namesSuite = args[0] !== undefined && !args[0].startsWith('-') && !args.includes('--help');
if (namesSuite) {
  prepare('npm', ['run', '--silent', 'build:native']);
  prepare('npm', ['run', '--silent', 'build']);
}

const run = spawn(process.execPath, ['--import', 'tsx', join('src', 'main.ts'), ...args], {
  cwd: bench,
  stdio: 'inherit',
});
// A terminal's Ctrl-C reaches the whole process group; a signal sent to this process alone is passed on.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => run.kill(signal));
run.on('exit', (code) => process.exit(code ?? 1));
