/** Programs that a suite builds for itself: kept in the cache by the hash of what they are made of. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE_DIR } from '../paths.ts';
import { Unavailable } from '../suite.ts';
import { outputOf } from './child-output.ts';

export interface BuildSpec {
  readonly name: string;
  /** Lockfiles and sources: when one of them changes it is built anew. */
  readonly inputs: readonly string[];
  /** What runs, one after the other, to fill the folder that it is given. */
  readonly commands: (folder: string) => readonly BuildCommand[];
  /** Of each command. */
  readonly limitMs: number;
}

export interface BuildCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The folder with what was built, now or before; a tool that is missing or fails makes it unavailable. */
export async function cachedBuild({ name, inputs, commands, limitMs }: BuildSpec): Promise<string> {
  const hash = createHash('sha256');
  for (const input of inputs) hash.update(readFileSync(input)).update('\0');
  const folder = join(CACHE_DIR, `${name}-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  console.error(`bench: building ${name} (once; kept in ${CACHE_DIR})`);
  // Made aside and renamed when whole, like the corpus.
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  try {
    for (const command of commands(unfinished)) await build(command, limitMs);
    renameSync(unfinished, folder);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Unavailable(`${name} was not to be built: ${why}`);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}

async function build({ program, args, cwd, env }: BuildCommand, limitMs: number): Promise<void> {
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 2] });
  await outputOf(child, program, limitMs);
}
