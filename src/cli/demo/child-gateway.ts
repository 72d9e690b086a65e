/** A gateway as a child process: the same program and command that an operator starts, on free ports. */
import { type ChildProcess, spawn } from 'node:child_process';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface ChildGateway {
  readonly dataUrl: string;
  readonly adminUrl: string;
  /** Asks it to stop, insists after a while, and resolves when it has ended. */
  stop(): Promise<void>;
}

export type ChildStart =
  | { readonly ok: true; readonly gateway: ChildGateway }
  | { readonly ok: false; readonly fault: string };

const START_TIMEOUT_MS = 30_000;
/** Beyond the gateway's own drain deadline it no longer stops by itself. */
const STOP_TIMEOUT_MS = 15_000;
const READY_LINE = /^vigie is ready: data (\S+), admin (\S+), metrics (\S+)/;

/** Starts `vigie serve` with these flags and waits for its ready line. */
export async function startChildGateway(
  flags: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Promise<ChildStart> {
  const entry = fileURLToPath(new URL(`../vigie${extname(import.meta.url)}`, import.meta.url));
  const child = spawn(process.execPath, [...process.execArgv, entry, 'serve', ...flags], {
    // The settings are the flags alone: an operator's environment must not bend the demo.
    env: Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('VIGIE_'))),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lastErrorLine = lastLineOf(child);
  const urls = await waitForReady(child);
  if (urls === undefined) {
    await stop(child);
    const said = lastErrorLine();
    return { ok: false, fault: `the gateway did not start${said === '' ? '' : `: ${said}`}` };
  }
  return { ok: true, gateway: { ...urls, stop: () => stop(child) } };
}

function waitForReady(child: ChildProcess): Promise<{ dataUrl: string; adminUrl: string } | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), START_TIMEOUT_MS);
    const settle = (urls?: { dataUrl: string; adminUrl: string }) => {
      clearTimeout(timer);
      resolve(urls);
    };
    child.once('error', () => settle());
    child.once('exit', () => settle());
    if (child.stdout === null) return settle();
    // Reading goes on after the ready line: a full pipe would stop the gateway.
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, dataUrl, adminUrl] = READY_LINE.exec(line) ?? [];
      if (dataUrl !== undefined && adminUrl !== undefined) settle({ dataUrl, adminUrl });
    });
  });
}

function lastLineOf(child: ChildProcess): () => string {
  let last = '';
  if (child.stderr !== null) {
    createInterface({ input: child.stderr }).on('line', (line) => {
      last = line.slice(0, 500);
    });
  }
  return () => last;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  child.kill('SIGTERM');
  const insist = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(insist);
}
