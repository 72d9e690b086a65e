/** One gateway under the open-loop generator: for suites that ask what becomes of calls that come when they are due. */
import { readFileSync } from 'node:fs';
import type { Corpus } from '../corpus/credentials.ts';
import {
  type OpenLoopReport,
  type PhaseTally,
  prepareOpenLoop,
  runOpenLoop,
  type StreamSpec,
} from '../load/open-loop.ts';
import { type Options, UsageError } from '../options.ts';
import type { PinnedServer } from '../process/pinned-server.ts';
import type { Target } from '../process/targets.ts';
import { readThreadTimes, waitedShare } from '../process/thread-times.ts';
import { significant } from '../statistics.ts';

export const SETTLE_SECONDS = 1;
export const BATCH_ITEMS = 1_000;
/** Whoever waits longer has given up. */
const PATIENCE_SECONDS = 1;
/** A generator that was later than this (p99) is part of every latency. */
const LAG_LIMIT_MS = 1;
const MEMORY_SAMPLE_MS = 100;
/** Calls that a closed loop has at once. */
const CLOSED_CALLS = { single: 128, batch: 8 } as const;

export interface Bench {
  readonly server: PinnedServer;
  readonly warnings: string[];
  /** Answers that were neither right nor a refusal: with one of them the figures count for nothing. */
  readonly wrongs: string[];
  readonly phaseSeconds: number;
  load(what: string, phaseSeconds: readonly number[], streams: readonly StreamSpec[]): Promise<Measured>;
}

export interface Measured {
  readonly report: OpenLoopReport;
  readonly beforeMiB: number;
  readonly mostMiB: number;
  /** Of the server's busiest thread, see thread-times.ts. */
  readonly waitedShare: number | undefined;
}

/** Compiles the generator where it is not there already. */
export function openLoopBench(
  suite: string,
  { origin, server }: Target,
  corpus: Pick<Corpus, 'credentialsFile'>,
  { generatorCore, phaseSeconds }: Pick<Options, 'generatorCore'> & { readonly phaseSeconds: number },
): Bench {
  if (phaseSeconds <= SETTLE_SECONDS) throw new UsageError(`--seconds must be more than ${SETTLE_SECONDS}`);
  const program = prepareOpenLoop();
  const warnings: string[] = [];
  const wrongs: string[] = [];
  const load: Bench['load'] = async (what, phases, streams) => {
    console.error(`bench: ${suite}, ${what}`);
    const memory = watchMemory(server.pid);
    const delays = readThreadTimes(server.pid);
    const report = await runOpenLoop(program, {
      port: Number(new URL(origin).port),
      credentialsFile: corpus.credentialsFile,
      core: generatorCore,
      settleSeconds: SETTLE_SECONDS,
      patienceSeconds: PATIENCE_SECONDS,
      phaseSeconds: phases,
      streams,
    });
    const { beforeMiB, mostMiB } = memory.stop();
    const waited = waitedShare(delays, readThreadTimes(server.pid));
    const lagMs = report.lag.p99Us / 1000;
    for (const { name, phases: tallies } of report.streams) {
      const wrong = tallies.reduce((sum, tally) => sum + tally.wrong, 0);
      if (wrong > 0) wrongs.push(`${what}, ${name}: ${wrong} answers were neither right nor a refusal`);
    }
    if (lagMs > LAG_LIMIT_MS) {
      const late = `p99 ${significant(lagMs, 3)} ms`;
      warnings.push(`${what}: the generator itself was late (${late}), and sent less than was due`);
    }
    await server.untilIdle();
    return { report, beforeMiB, mostMiB, waitedShare: waited };
  };
  return { server, warnings, wrongs, phaseSeconds, load };
}

/**
 * Calls a second when there is always another one, on as many connections, or in turn on those of more callers: whose
 * sockets and packets have then left the caches, as in any load that comes from so many.
 */
export async function closedLoop(
  bench: Bench,
  kind: 'single' | 'batch',
  connections: number = CLOSED_CALLS[kind],
): Promise<number> {
  const seconds = bench.phaseSeconds;
  const { report } = await bench.load(
    `capacity, ${kind}`,
    [seconds],
    [
      {
        name: kind,
        items: kind === 'single' ? 0 : BATCH_ITEMS,
        connections,
        source: '127.0.0.1',
        rates: [-CLOSED_CALLS[kind]],
      },
    ],
  );
  return phaseOf(report, kind, 0).ok / (seconds - SETTLE_SECONDS);
}

export function phaseOf(report: OpenLoopReport, name: string, phase: number): PhaseTally {
  return report.streams.find((stream) => stream.name === name)?.phases[phase] as PhaseTally;
}

/** Resident memory of a process (MiB). */
export function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}

/** Resident memory of the server while the load is on. */
function watchMemory(pid: number) {
  const beforeMiB = residentMiB(pid);
  let mostMiB = beforeMiB;
  const timer = setInterval(() => {
    mostMiB = Math.max(mostMiB, residentMiB(pid));
  }, MEMORY_SAMPLE_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return { beforeMiB, mostMiB };
    },
  };
}
