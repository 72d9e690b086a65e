/** Runs the built command line as a process, as a shell would. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const VIGIE = fileURLToPath(new URL('../../dist/cli/vigie.js', import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Neither the tests' own VIGIE_ names nor their language reach the command: each test says its own. */
function environment(extra: Readonly<Record<string, string>> = {}): Record<string, string | undefined> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(VIGIE_|NO_COLOR|FORCE_COLOR|LC_|LANG)/.test(name),
  );
  return { ...Object.fromEntries(inherited), ...extra };
}

export function runVigie(args: readonly string[], { stdin = '', env }: RunOptions = {}): Promise<Ran> {
  if (!existsSync(VIGIE)) throw new Error('dist/ is missing: run npm run build');
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [VIGIE, ...args], { env: environment(env) });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    // A command that needs no input may have ended before it was all written.
    child.stdin.on('error', () => {});
    child.stdin.end(stdin);
    child.on('close', (code) =>
      resolve({
        code,
        stdout: Buffer.concat(out).toString('utf8'),
        stderr: Buffer.concat(err).toString('utf8'),
      }),
    );
  });
}

export interface RunningGateway {
  readonly dataUrl: string;
  readonly adminUrl: string;
  readonly metricsUrl: string;
  /** What it printed before it was ready, the ready line included. */
  readonly stdout: readonly string[];
  /** Sends SIGTERM and gives the exit code. */
  stop(): Promise<number | null>;
}

/** `vigie serve` on free ports, with these flags besides. */
export async function startGateway(
  flags: readonly string[],
  env?: Record<string, string>,
): Promise<RunningGateway> {
  const ports = ['--port', '0', '--admin-port', '0', '--metrics-port', '0', '--log-level', 'warn'];
  const child = spawn(process.execPath, [VIGIE, 'serve', ...ports, ...flags], {
    env: environment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stderr: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const stdout: string[] = [];
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  const ready = await readyLine(child, stdout);
  if (ready === undefined) throw new Error(`no gateway: ${Buffer.concat(stderr).toString('utf8')}`);
  return {
    dataUrl: ready[1] as string,
    adminUrl: ready[2] as string,
    metricsUrl: ready[3] as string,
    stdout,
    stop: () => {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

function readyLine(child: ChildProcess, seen: string[]): Promise<RegExpExecArray | undefined> {
  return new Promise((resolve) => {
    child.once('close', () => resolve(undefined));
    if (child.stdout === null) return resolve(undefined);
    createInterface({ input: child.stdout }).on('line', (line) => {
      seen.push(line);
      const match =
        /^vigie is ready: data (\S+), admin (\S+), metrics (\S+)$/.exec(line) ??
        /^{"ready":true.*"urls":{"data":"([^"]+)","admin":"([^"]+)","metrics":"([^"]+)"}/.exec(line);
      if (match !== null) resolve(match);
    });
  });
}
