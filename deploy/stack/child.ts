/** The stack's processes: each has a log of its own, is signalled by its own id, and does not outlive this process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SEARCH_PATH } from './programs.mjs';

/** Whoever has a process started, and may have to end it before it is ready. */
export interface Spawning {
  /** Told of the process as soon as there is one. */
  readonly onSpawn?: ((child: Child) => void) | undefined;
}

export interface Command extends Spawning {
  /** For messages. */
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What it prints and logs goes to the end of this file. */
  readonly logFile: string;
  /** Asked until the answer is yes. */
  isReady(): Promise<boolean>;
}

export interface Child {
  readonly pid: number;
  /** Resolves when it has ended, to its exit code or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL where that takes too long. */
  stop(): Promise<void>;
}

const READY_TIMEOUT_MS = 60_000;
const READY_POLL_MS = 50;
/** Beyond the drain deadline of a gateway. */
const STOP_TIMEOUT_MS = 15_000;

/** Up to where Linux begins with the ports of connections (net.ipv4.ip_local_port_range). */
const FIRST_PORT = 15_000;
const PORTS = 32_768 - FIRST_PORT;
const MAX_TAKEN = 1_000;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** @throws with the end of its log when it ends before it is ready, or is not ready in time. */
export async function startChild({
  name,
  program,
  args,
  env = {},
  logFile,
  isReady,
  onSpawn,
}: Command): Promise<Child> {
  const log = openSync(logFile, 'a', 0o600);
  const child = spawn(program, args, {
    env: { ...withoutOurNames(process.env), PATH: SEARCH_PATH, ...env },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  running.add(child);
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once('error', () => resolve(127));
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 1));
  });
  let isOver = false;
  void ended.then(() => {
    isOver = true;
    running.delete(child);
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const insist = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(insist);
  };
  const started: Child = {
    pid: child.pid as number,
    ended,
    kill: (signal) => void child.kill(signal),
    stop,
  };
  onSpawn?.(started);
  const deadlineMs = performance.now() + READY_TIMEOUT_MS;
  while (!(await isReady().catch(() => false))) {
    if (isOver || performance.now() > deadlineMs) {
      await stop();
      throw new Error(`${name} did not start:\n${readFileSync(logFile, 'utf8').slice(-2_000)}`);
    }
    await sleep(READY_POLL_MS);
  }
  return started;
}

/**
 * So many ports that are free now, and differ. They lie below those that the system gives to connections, or one
 * would be taken by somebody's connection while its owner is away.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = [];
  for (let tries = 0; servers.length < count; tries++) {
    if (tries > count + MAX_TAKEN) throw new Error('no free ports');
    const server = await listening(FIRST_PORT + Math.floor(Math.random() * PORTS));
    if (server !== undefined) servers.push(server);
  }
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(
    servers.map((server) => {
      const closed = once(server, 'close');
      server.close();
      return closed;
    }),
  );
  return ports;
}

/** `undefined`: the port is taken. */
async function listening(port: number): Promise<Server | undefined> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}

/** An operator's settings must not bend what is shown. */
function withoutOurNames(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const ours = /^(VIGIE|GATEWAY|LB|REDIS)_/;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !ours.test(name)));
}
