/** Programs that a suite needs beside Node, seen to before anything else takes time. */
import { spawnSync } from 'node:child_process';
import { Unavailable } from '../suite.ts';

/** taskset keeps a process on its core; without it nothing is measured. */
export function requireTaskset(): void {
  if (!isInstalled('taskset')) throw new Unavailable('taskset is missing: apt-get install -y util-linux');
}

/** A mirror that does not answer must not keep a run for ever. */
const APT_LIMIT_MS = 180_000;

/** Installs what is missing where that can be done; else ends the run with the line that does it. */
export function requirePackage(program: string, advice = ''): void {
  if (isInstalled(program)) return;
  const line = `apt-get install -y --no-install-recommends ${program}`;
  if (process.getuid?.() === 0 && isInstalled('apt-get')) {
    console.error(`bench: ${program} is missing: apt-get update && ${line}`);
    // RUNLEVEL=1: the program is wanted, not the service that the package would start, on a core that is measured.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    for (const command of ['apt-get update -q', line])
      spawnSync('sh', ['-c', `exec ${command}`], { stdio: ['ignore', 2, 2], env, timeout: APT_LIMIT_MS });
    if (isInstalled(program)) return;
  }
  throw new Unavailable(`${program} is missing: run \`apt-get update && ${line}\` as root${advice}`);
}

function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0;
}
