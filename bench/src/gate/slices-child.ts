/**
 * The gate's load, in a process of its own: short slices of the same requests to each of the servers in turn, and the CPU
 * time that each server spent on its slice. A server that waits for its turn costs next to nothing.
 */
import { readFileSync } from 'node:fs';
import { jsonRequest, type Lanes, openLanes } from '../load/http-lanes.ts';
import { ownTask, reportResult } from '../process/measuring-child.ts';
import { readThreadTimes } from '../process/thread-times.ts';

export interface SlicesTask {
  readonly servers: readonly { readonly pid: number; readonly port: number }[];
  readonly credentialsFile: string;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

export type SliceKind = 'single' | 'batch';
/** CPU time a request (µs) at each server, in their order, of each round. */
export type SliceSamples = Readonly<Record<SliceKind, readonly (readonly number[])[]>> & {
  /** Rounds of which a server refused a request: the machine stood still for so long that it was overloaded. */
  readonly discarded: number;
  /** CPU time of this process over wall time. */
  readonly generatorUtilisation: number;
};

const BATCH_ITEMS = 1_000;
/** Requests of a slice: some 10 ms of a server's time, so that neighbours in time are as near as can be. */
const SLICE = { single: 500, batch: 2 } as const;
/** The requests are these, from the first to the last and over again. */
const CREDENTIALS = 8_000;
/** Batches one by one: what waits behind another for long is refused, and CPU time does not depend on it. */
const CONNECTIONS = { single: 32, batch: 1 } as const;

interface Server {
  readonly pid: number;
  readonly lanes: Readonly<Record<SliceKind, Lanes>>;
  readonly requests: Readonly<Record<SliceKind, readonly Buffer[]>>;
}

/** Of all threads, as finely as the scheduler counts: a slice is as long as a clock tick. Throws when nothing is known. */
function cpuMs(pid: number): number {
  const threads = readThreadTimes(pid);
  if (threads.size === 0) throw new Error(`nothing is known of the CPU time of process ${pid}`);
  return [...threads.values()].reduce((sum, { ranMs }) => sum + ranMs, 0);
}

/**
 * Sends the slice and waits for all its answers, each of which must call every credential valid; `undefined` when a
 * request was refused, since a refusal costs less than a verdict.
 */
async function slice(server: Server, kind: SliceKind, turn: number): Promise<number | undefined> {
  const before = cpuMs(server.pid);
  let isRefused = false;
  await new Promise<void>((resolve, reject) => {
    let open: number = SLICE[kind];
    const requests = server.requests[kind];
    for (let i = 0; i < SLICE[kind]; i++) {
      server.lanes[kind].send(
        requests[(turn * SLICE[kind] + i) % requests.length] as Buffer,
        (status, body) => {
          if (status === 503) isRefused = true;
          else if (status !== 200 || !isAllValid(kind, body))
            reject(new Error(`a ${kind} was answered ${status}: ${body.slice(0, 200)}`));
          open--;
          if (open === 0) resolve();
        },
      );
    }
  });
  return isRefused ? undefined : ((cpuMs(server.pid) - before) * 1_000) / SLICE[kind];
}

function isAllValid(kind: SliceKind, body: string): boolean {
  if (kind === 'single') return body.startsWith('{"verdict":"valid"');
  return body.split('"verdict":"valid"').length - 1 === BATCH_ITEMS;
}

/** Every server once with each kind; who begins moves on from round to round. */
async function round(
  servers: readonly Server[],
  turn: number,
): Promise<Record<SliceKind, number[]> | undefined> {
  const costs: Record<SliceKind, number[]> = { single: [], batch: [] };
  for (const kind of ['single', 'batch'] as const) {
    for (const offset of servers.keys()) {
      const index = (turn + offset) % servers.length;
      const cost = await slice(servers[index] as Server, kind, turn);
      if (cost === undefined) return undefined;
      costs[kind][index] = cost;
    }
  }
  return costs;
}

async function openServer(pid: number, port: number, lines: readonly string[]): Promise<Server> {
  const broken = (error: Error): void => {
    throw error;
  };
  const batches = Array.from({ length: lines.length / BATCH_ITEMS }, (_, batch) =>
    lines.slice(batch * BATCH_ITEMS, (batch + 1) * BATCH_ITEMS),
  );
  return {
    pid,
    lanes: {
      single: await openLanes(port, CONNECTIONS.single, broken),
      batch: await openLanes(port, CONNECTIONS.batch, broken),
    },
    requests: {
      single: lines.map((credential) => jsonRequest(port, '/v1/verify', { credential })),
      batch: batches.map((credentials) => jsonRequest(port, '/v1/verify/batch', { credentials })),
    },
  };
}

function utilisationSince({ ms, cpu }: { readonly ms: number; readonly cpu: NodeJS.CpuUsage }): number {
  const { user, system } = process.cpuUsage(cpu);
  return (user + system) / 1_000 / (performance.now() - ms);
}

async function main(task: SlicesTask): Promise<SliceSamples> {
  const lines = readFileSync(task.credentialsFile, 'latin1').split('\n', CREDENTIALS);
  const servers: Server[] = [];
  for (const { pid, port } of task.servers) servers.push(await openServer(pid, port, lines));
  const samples: Record<SliceKind, number[][]> = { single: [], batch: [] };
  let discarded = 0;
  const measureFromMs = performance.now() + task.warmUpSeconds * 1_000;
  const untilMs = measureFromMs + task.seconds * 1_000;
  let began: { readonly ms: number; readonly cpu: NodeJS.CpuUsage } | undefined;
  for (let turn = 0; performance.now() < untilMs; turn++) {
    const isMeasured = performance.now() >= measureFromMs;
    if (isMeasured) began ??= { ms: performance.now(), cpu: process.cpuUsage() };
    const costs = await round(servers, turn);
    if (!isMeasured) continue;
    if (costs === undefined) discarded++;
    else for (const kind of ['single', 'batch'] as const) samples[kind].push(costs[kind]);
  }
  const generatorUtilisation = began === undefined ? 0 : utilisationSince(began);
  for (const { lanes } of servers) for (const kind of ['single', 'batch'] as const) lanes[kind].close();
  return { ...samples, discarded, generatorUtilisation };
}

reportResult(await main(await ownTask<SlicesTask>()));
