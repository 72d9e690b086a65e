/** The open-loop generator (open-loop/, C++): compiled at its first use, run as a process of its own on its core. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE_DIR, sourceFile } from '../paths.ts';
import { outputOf } from '../process/child-output.ts';
import { Unavailable } from '../suite.ts';

export interface StreamSpec {
  readonly name: string;
  /** Items of a batch; 0: single calls. */
  readonly items: number;
  readonly connections: number;
  /** Loopback address from which it connects. */
  readonly source: string;
  /** Calls a second in each phase; below 0: a closed loop of so many calls at once. */
  readonly rates: readonly number[];
  /** Of another server than the first one. */
  readonly port?: number;
}

export interface OpenLoopSpec {
  readonly port: number;
  readonly credentialsFile: string;
  readonly core: number;
  /** So much of each phase's beginning is not counted. */
  readonly settleSeconds: number;
  readonly patienceSeconds: number;
  readonly phaseSeconds: readonly number[];
  readonly streams: readonly StreamSpec[];
}

interface Latencies {
  readonly count: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly maxUs: number;
}

/** What came of the calls that were due in a phase. */
export interface PhaseTally {
  readonly due: number;
  readonly ok: number;
  readonly refused: number;
  readonly unsent: number;
  readonly late: number;
  readonly broken: number;
  readonly wrong: number;
  readonly okLatency: Latencies;
  readonly refusedLatency: Latencies;
}

/** Quarters of a second from the start: calls served, not served, and the slowest served (microseconds). */
export type Slot = readonly [ok: number, notOk: number, slowestUs: number];
export const SLOT_SECONDS = 0.25;

export interface OpenLoopReport {
  readonly cpuSeconds: number;
  /** How long each phase was, whether its time was up or it was ended. */
  readonly phaseSeconds: readonly number[];
  /** How late the generator itself was. */
  readonly lag: Latencies;
  readonly streams: readonly {
    readonly name: string;
    readonly phases: readonly PhaseTally[];
    readonly slots: readonly Slot[];
  }[];
}

const SOURCES = sourceFile('load', 'open-loop');
const COMPILERS = ['g++', 'clang++'];
const GRACE_MS = 30_000;

/** Compiles it unless it is there already, for these sources; returns the program's path. */
export function prepareOpenLoop(): string {
  const files = readdirSync(SOURCES).sort();
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(join(SOURCES, file)));
  const program = join(CACHE_DIR, `open-loop-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(program)) return program;
  mkdirSync(CACHE_DIR, { recursive: true });
  const sources = files.filter((file) => file.endsWith('.cc')).map((file) => join(SOURCES, file));
  const isCompiled = COMPILERS.some(
    (compiler) =>
      spawnSync(compiler, ['-O2', '-std=c++17', '-o', program, ...sources], { stdio: ['ignore', 2, 2] })
        .status === 0,
  );
  if (!isCompiled)
    throw new Unavailable('the open-loop generator needs a C++ compiler: apt-get install -y g++');
  return program;
}

export async function runOpenLoop(program: string, spec: OpenLoopSpec): Promise<OpenLoopReport> {
  return startOpenLoop(program, spec).report;
}

export interface OpenLoop {
  readonly pid: number;
  /** Its connections stand and the first phase has begun; rejects when it ended before. */
  readonly begun: Promise<void>;
  /** The phase that it is in ends now, not when its time is up. */
  endPhase(): void;
  /** Ends it before its time, with no report; once it has ended by itself, nothing. */
  stop(): void;
  readonly report: Promise<OpenLoopReport>;
}

export function startOpenLoop(program: string, spec: OpenLoopSpec): OpenLoop {
  const streams = spec.streams.map(({ name, items, connections, source, rates, port }) =>
    [name, items, connections, source, rates.map(Math.round).join(','), ...(port ? [port] : [])].join(':'),
  );
  const args = [
    ...['-c', String(spec.core), program, String(spec.port), spec.credentialsFile],
    ...[String(spec.settleSeconds), String(spec.patienceSeconds), spec.phaseSeconds.join(',')],
  ];
  const child = spawn('taskset', [...args, ...streams], { stdio: ['pipe', 'pipe', 'inherit'] });
  // One that has ended takes no more lines; its exit code says why.
  child.stdin.on('error', () => {});
  const seconds = spec.phaseSeconds.reduce((sum, phase) => sum + phase, 0);
  const limitMs = (seconds + spec.patienceSeconds) * 1000 + GRACE_MS;
  const output = outputOf(child, 'the open-loop generator', limitMs);
  const begun = Promise.race([once(child.stdout, 'data'), output]).then(() => {});
  const report = output.then((text) => JSON.parse(text.slice(text.indexOf('\n') + 1)));
  // Whoever waits for one of them need not wait for the other.
  for (const promise of [begun, report]) promise.catch(() => {});
  const endPhase = () => child.stdin.write('\n');
  const stop = () => child.kill('SIGKILL');
  return { pid: child.pid as number, begun, endPhase, stop, report };
}
