/** Starting a server on its cores of the machine, waiting until it is ready, and stopping it for certain. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Unavailable } from '../suite.ts';
import { readCpuTicks } from './cpu-time.ts';

export interface ServerCommand {
  /** For messages. */
  readonly name: string;
  /** Node, unless another program is named. */
  readonly program?: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** None: wherever the kernel puts it. */
  readonly cores: readonly number[];
  /** How the line on standard output begins that says the server takes requests. */
  readonly readyPrefix: string;
  /** Of a server that says no such thing: it is ready once this is answered, and what it prints goes nowhere. */
  readonly readyUrl?: string;
}

export interface PinnedServer {
  /** The server's own process: taskset replaces itself by it. */
  readonly pid: number;
  /** Returns once the server has stopped working on what it was sent, so that the next one has the core. */
  untilIdle(): Promise<void>;
  stop(): Promise<void>;
}

const READY_TIMEOUT_MS = 30_000;
/** The gateway drains for ten seconds at most. */
const STOP_TIMEOUT_MS = 12_000;
const IDLE_TIMEOUT_MS = 30_000;
const IDLE_POLL_MS = 100;
const READY_POLL_MS = 50;
/** Ports below the kernel's own to choose from, and how often one is tried. */
const LASTING_PORTS = 10_000;
const LASTING_TRIES = 20;

/** Runs `node ARGS` or another program, with all its threads on the cores if any are named (taskset from util-linux). */
export async function startPinned(command: ServerCommand): Promise<PinnedServer> {
  const cores = command.cores.join(',');
  const itself = command.program ?? process.execPath;
  const [program, ...first] = cores === '' ? [itself] : ['taskset', '-c', cores, itself];
  const child = spawn(program as string, [...first, ...command.args], {
    cwd: command.cwd,
    env: { ...ambientEnvironment(), NODE_ENV: 'production', ...command.env },
    stdio: ['ignore', command.readyUrl === undefined ? 'pipe' : 'ignore', 'inherit'],
  });
  // Whatever ends the bench ends the server: nothing is left running on the measured core.
  const killAtExit = () => child.kill('SIGKILL');
  // Before the files are removed that it has open.
  process.prependOnceListener('exit', killAtExit);
  const stop = async () => {
    await stopChild(child);
    process.off('exit', killAtExit);
  };
  try {
    await untilReady(child, command);
  } catch (error) {
    await stop();
    throw error;
  }
  const pid = child.pid as number;
  return { pid, untilIdle: () => untilIdle(pid, command.name), stop };
}

/** A loopback port that was free a moment ago. */
export async function freePort(): Promise<number> {
  return portOnceFree(0);
}

/**
 * One that stays free while its server is away: below those that the kernel gives to clients, which would else be given
 * to one of them that tries to reach it.
 */
export async function lastingPort(): Promise<number> {
  const [lowest = 0] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    .split(/\s+/)
    .map(Number);
  if (lowest - LASTING_PORTS < 1024) return freePort();
  for (let tries = 0; tries < LASTING_TRIES; tries++) {
    const port = await portOnceFree(lowest - 1 - randomInt(LASTING_PORTS)).catch(() => undefined);
    if (port !== undefined) return port;
  }
  return freePort();
}

/** Rejects when somebody has it; 0: any one. */
async function portOnceFree(wanted: number): Promise<number> {
  const server = createServer().listen(wanted, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP listener has a port');
  return address.port;
}

/** The caller's environment without settings of the gateway and of Node: a run depends on what it names alone. */
function ambientEnvironment(): Record<string, string | undefined> {
  const isSetting = (name: string): boolean => name.startsWith('VIGIE_') || name === 'NODE_OPTIONS';
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isSetting(name)));
}

async function untilReady(
  child: ChildProcess,
  { name, readyPrefix, readyUrl }: ServerCommand,
): Promise<void> {
  const ended = new Promise<never>((_, reject) => {
    child.once('error', (error) => reject(new Unavailable(`${name} did not start: ${error.message}`)));
    child.once('exit', (code) => reject(new Unavailable(`${name} ended before it was ready (exit ${code})`)));
  });
  const timer = new AbortController();
  const tooLate = sleep(READY_TIMEOUT_MS, undefined, { signal: timer.signal }).then(() => {
    throw new Unavailable(`${name} was not ready after ${READY_TIMEOUT_MS} ms`);
  });
  const ready =
    readyUrl === undefined ? untilSaid(child, readyPrefix) : untilAnswered(readyUrl, timer.signal);
  // The losers of the race are expected to fail later on.
  for (const loser of [ready, ended, tooLate]) loser.catch(() => undefined);
  try {
    await Promise.race([ready, ended, tooLate]);
  } finally {
    timer.abort();
  }
}

function untilSaid(child: ChildProcess, readyPrefix: string): Promise<void> {
  if (child.stdout === null) throw new Error('standard output is a pipe');
  const lines = createInterface({ input: child.stdout });
  return new Promise((resolve) => {
    // The listener stays after that line: a pipe that nobody empties would stop the server some day.
    lines.on('line', (line) => line.startsWith(readyPrefix) && resolve());
  });
}

async function untilAnswered(url: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const isAnswered = await fetch(url, { signal }).then(
      () => true,
      () => false,
    );
    if (isAnswered) return;
    await sleep(READY_POLL_MS, undefined, { signal });
  }
}

async function untilIdle(pid: number, name: string): Promise<void> {
  const deadline = performance.now() + IDLE_TIMEOUT_MS;
  let ticks = readCpuTicks(pid);
  while (performance.now() < deadline) {
    await sleep(IDLE_POLL_MS);
    const now = readCpuTicks(pid);
    if (now === undefined || ticks === undefined) throw new Error(`${name} has ended`);
    // A tick (10 ms) or less in 100 ms is housekeeping.
    if (now - ticks <= 1) return;
    ticks = now;
  }
  throw new Error(`${name} is still busy ${IDLE_TIMEOUT_MS} ms after the load ended`);
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await exited;
  clearTimeout(killer);
}
