/** What the gate compares: the checkout as it stands, a commit before it, and the checkout made slower on purpose. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT_DIR } from '../paths.ts';
import { Unavailable } from '../suite.ts';

/** The native kernel and a whole installation take minutes on a slow machine; what takes longer hangs. */
const NPM_LIMIT_MS = 10 * 60_000;
const UNPACK_LIMIT_MS = 60_000;

/** The commit that a name stands for. */
export function resolveCommit(ref: string): string {
  try {
    const name = `${ref}^{commit}`;
    return git('rev-parse', '--verify', '--quiet', '--end-of-options', name).toString().trim();
  } catch {
    throw new Unavailable(
      `--base: there is no commit ${ref} in this checkout (a shallow clone has no history)`,
    );
  }
}

/** Unpacks the commit into `folder` and builds it, with this checkout's packages where the lockfiles are equal. */
export function buildCommit(commit: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  const archive = git('archive', '--format=tar', commit);
  execFileSync('tar', ['-x', '-C', folder], {
    input: archive,
    stdio: ['pipe', 2, 2],
    timeout: UNPACK_LIMIT_MS,
  });
  const lockfile = (root: string): string => readFileSync(join(root, 'package-lock.json'), 'utf8');
  if (lockfile(folder) === lockfile(ROOT_DIR)) {
    symlinkSync(join(ROOT_DIR, 'node_modules'), join(folder, 'node_modules'));
    // Of the same native sources it is up to date and not compiled again.
    copyBuilt('build', folder);
  } else npm(folder, 'ci');
  npm(folder, 'run', '--silent', 'build:native');
  npm(folder, 'run', '--silent', 'build');
}

/**
 * Copies the checkout as built into `folder`, with a slowdown: a burner is put at the head of the path of each
 * verification. It burns `share` of whatever CPU time the process has otherwise used since, as the kernel counts it, so
 * it takes the same share of single calls and of batches however fast the machine is.
 */
export function copyWithSlowdown(share: number, folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const name of ['dist', 'build', 'package.json']) copyBuilt(name, folder);
  symlinkSync(join(ROOT_DIR, 'node_modules'), join(folder, 'node_modules'));
  const file = join(folder, 'dist', 'gateway.js');
  const source = readFileSync(file, 'utf8');
  const entry = /^export function verifySlice\([^\n]*\{\n/m;
  if (!entry.test(source)) throw new Error('dist/gateway.js has no verifySlice to slow down');
  const slowed = source.replace(entry, (head) => `${head}    burnShare();\n`);
  writeFileSync(file, `${slowed}\n${burner(share)}`);
}

/** Once in a millisecond at most: asking for the CPU time costs a microsecond, which is not to count beside the burnt. */
function burner(share: number): string {
  return `
const burning = { share: ${share}, dueMs: 0, sinceUs: undefined, burntUs: 0 };
function usedUs() {
    const { user, system } = process.cpuUsage();
    return user + system;
}
function burnShare() {
    const nowMs = performance.now();
    if (nowMs < burning.dueMs) return;
    burning.dueMs = nowMs + 1;
    const startUs = usedUs();
    burning.sinceUs ??= startUs;
    const oweUs = burning.share * (startUs - burning.sinceUs - burning.burntUs) - burning.burntUs;
    let endUs = startUs;
    while (endUs - startUs < oweUs) endUs = usedUs();
    burning.burntUs += endUs - startUs;
}
`;
}

function copyBuilt(name: string, folder: string): void {
  const from = join(ROOT_DIR, name);
  if (existsSync(from)) cpSync(from, join(folder, name), { recursive: true, preserveTimestamps: true });
}

function git(...args: string[]): Buffer {
  // The whole tree of a commit is some megabytes.
  return execFileSync('git', args, {
    cwd: ROOT_DIR,
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 2 ** 30,
    timeout: UNPACK_LIMIT_MS,
  });
}

/** It goes with whatever it started where it takes too long: `timeout` (coreutils) ends the whole group. */
function npm(folder: string, ...args: string[]): void {
  const limited = ['--kill-after=10', String(NPM_LIMIT_MS / 1000), 'npm', ...args];
  const { status } = spawnSync('timeout', limited, { cwd: folder, stdio: ['ignore', 2, 2] });
  if (status !== 0)
    throw new Unavailable(`npm ${args.join(' ')} failed or took too long in the base's checkout`);
}
