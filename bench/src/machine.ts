/** What the figures were measured on; every report carries it, since without it no figure means anything. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT_DIR } from './paths.ts';
import { clockTicksPerSecond } from './process/cpu-time.ts';

export interface MachineFacts {
  readonly cpu: string;
  readonly cores: number;
  readonly kernel: string;
  readonly node: string;
  readonly openssl: string;
  /** Commit of the checkout, and whether files differ from it beside what the results themselves change. */
  readonly commit: string;
  readonly dirty: boolean | 'unknown';
  /** RFC 3339, at the start of the run. */
  readonly date: string;
  /** One, five and fifteen minutes, at the start of the run. */
  readonly loadAverage: readonly number[];
  /** Cores kept busy by others in the two seconds before the run: 1 is one core's worth. */
  readonly busyCores: number;
  readonly pinning: { readonly serverCore: number; readonly generatorCore: number };
}

/** Above this the rows would measure the neighbours as well. */
const QUIET_BUSY_CORES = 0.15;
const OBSERVED_MS = 2_000;
/** A guest that was held off its cores for longer measured its neighbours as well. */
const STOLEN_LIMIT = 0.01;
/** What a run that is stored changes: the next one of the same commit differs by nothing that is measured. */
const WRITTEN_BY_RESULTS = [':!bench/results', ':!README.md', ':!deploy/RUNBOOK.md'];

export async function machineFacts(cores: {
  readonly serverCore: number;
  readonly generatorCore: number;
}): Promise<MachineFacts> {
  const changes = git('status', '--porcelain', '--', '.', ...WRITTEN_BY_RESULTS);
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    kernel: release(),
    node: process.version,
    openssl: process.versions.openssl,
    commit: git('rev-parse', 'HEAD') ?? 'unknown',
    dirty: changes === undefined ? 'unknown' : changes !== '',
    date: new Date().toISOString(),
    loadAverage: loadavg(),
    busyCores: Number((await busyCores()).toFixed(2)),
    pinning: { serverCore: cores.serverCore, generatorCore: cores.generatorCore },
  };
}

/** What to say when something else runs on the machine; `undefined` when it is quiet. */
export function otherWorkWarning(machine: MachineFacts): string | undefined {
  // Not by the load average, which remembers for a minute the suite that was measured before this one.
  if (machine.busyCores <= QUIET_BUSY_CORES) return undefined;
  return `something else runs on this machine (${machine.busyCores} cores busy): the figures are not to be trusted`;
}

/**
 * Begins to watch the time that the hypervisor gave to others while this machine had work to do; what it returns tells
 * the share of the time of all cores since. `undefined` where the kernel does not count it.
 */
export function watchStolen(): () => number | undefined {
  const before = stolenTicks();
  const sinceMs = performance.now();
  return () => {
    const after = stolenTicks();
    if (before === undefined || after === undefined) return undefined;
    const coreSeconds = (cpus().length * (performance.now() - sinceMs)) / 1000;
    return Number(((after - before) / clockTicksPerSecond() / coreSeconds).toPrecision(3));
  };
}

/** What to say when so much was stolen; `undefined` when it was next to nothing, or is not known. */
export function stolenWarning(share: number | undefined): string | undefined {
  if (share === undefined || share <= STOLEN_LIMIT) return undefined;
  return `${(100 * share).toFixed(1)} % of the cores' time was stolen by the hypervisor: the figures are not to be trusted`;
}

/** Of the text of /proc/stat (proc(5)): the eighth figure of its first line, which sums up all cores. */
export function parseStolenTicks(stat: string): number | undefined {
  const ticks = /^cpu +(?:\d+ ){7}(\d+)/.exec(stat)?.[1];
  return ticks === undefined ? undefined : Number(ticks);
}

function stolenTicks(): number | undefined {
  try {
    return parseStolenTicks(readFileSync('/proc/stat', 'utf8'));
  } catch {
    return undefined;
  }
}

/** Runs git in the checkout; `undefined` where there is no git or no repository. */
function git(...args: string[]): string | undefined {
  try {
    return execFileSync('git', args, {
      cwd: ROOT_DIR,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}

/** Cores busy while this process sleeps. */
async function busyCores(): Promise<number> {
  const before = cpus();
  await sleep(OBSERVED_MS);
  const after = cpus();
  let busyMs = 0;
  for (const [index, { times }] of after.entries()) {
    const earlier = before[index]?.times ?? times;
    busyMs += times.user - earlier.user + (times.sys - earlier.sys) + (times.nice - earlier.nice);
    busyMs += times.irq - earlier.irq;
  }
  return busyMs / OBSERVED_MS;
}
