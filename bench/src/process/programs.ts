/** Programs that a suite needs beside Node, seen to before anything else takes time. */
import { spawnSync } from 'node:child_process';
import { Unavailable } from '../suite.ts';

/** taskset keeps a process on its core; without it nothing is measured. */
export function requireTaskset(): void {
  if (!isInstalled('taskset')) throw new Unavailable('taskset is missing: apt-get install -y util-linux');
}

/** Installs what is missing where that can be done; else ends the run with the line that does it. */
export function requirePackage(program: string, advice = ''): void {
  if (isInstalled(program)) return;
  const line = `apt-get install -y ${program}`;
  if (process.getuid?.() === 0 && isInstalled('apt-get')) {
    console.error(`bench: ${program} is missing: ${line}`);
    spawnSync('apt-get', ['install', '-y', program], { stdio: ['ignore', 2, 2] });
    if (isInstalled(program)) return;
  }
  throw new Unavailable(`${program} is missing: run \`${line}\` as root${advice}`);
}

function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0;
}
