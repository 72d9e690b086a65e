/** Whether the memory of a gateway stays where it is under full load: samples of every second, judged by half minutes. */
import type { PhaseTally } from '../load/open-loop.ts';
import { clockTicksPerSecond, readCpuTicks } from '../process/cpu-time.ts';
import { median, significant } from '../statistics.ts';
import type { Row } from '../suite.ts';
import { condition } from './conditions.ts';
import {
  BATCH_ITEMS,
  type Bench,
  closedLoop,
  phaseOf,
  residentMiB,
  SETTLE_SECONDS,
} from './open-loop-bench.ts';

/** Buffers and heaps grow to what the load needs; short runs have half of their time for it. */
const WARM_UP_SECONDS = 60;
const WINDOW_SECONDS = 30;
/** A run that is too short for windows of that length has so many. */
const LEAST_WINDOWS = 4;
const MOST_DEVIATION = 0.05;
const FULL_LOAD = 0.95;
const SAMPLE_MS = 1_000;
const MINUTES_THAT_COUNT = 10;
/** Of the capacity of each: more than both together can have, by little, and batches give way. */
const SHARES = { single: 0.5, batch: 0.6 } as const;

/** With fewer batches served than that, the load is one of single calls and refusals. */
const LEAST_MIXED = 0.25;

export interface MemorySample {
  readonly seconds: number;
  readonly mib: number;
}

/**
 * Single calls and batches, sent when they are due: callers that send the next batch as soon as one is refused would
 * have the gateway refuse all the time.
 */
export async function measureMemory(bench: Bench, minutes: number): Promise<Row[]> {
  // What the compiler of the machine has not seen yet is slower by half: the first run counts for nothing.
  for (const kind of ['single', 'batch'] as const) await closedLoop(bench, kind);
  const capacity = { single: await closedLoop(bench, 'single'), batch: await closedLoop(bench, 'batch') };
  const streamOf = (kind: keyof typeof SHARES, items: number, connections: number, source: string) => {
    const rates = [SHARES[kind] * capacity[kind]];
    return { name: kind, items, connections, source, rates };
  };
  const seconds = Math.round(minutes * 60);
  const { pid } = bench.server;
  const ticksBefore = readCpuTicks(pid) ?? 0;
  const watch = sampleMemory(pid);
  const streams = [
    streamOf('single', 0, 2_000, '127.0.0.1'),
    streamOf('batch', BATCH_ITEMS, 200, '127.0.0.2'),
  ];
  const { report } = await bench.load(`memory, ${seconds} s`, [seconds], streams);
  const samples = watch.stop().filter((sample) => sample.seconds <= seconds);
  const utilisation = ((readCpuTicks(pid) ?? 0) - ticksBefore) / clockTicksPerSecond() / seconds;
  if (utilisation < FULL_LOAD)
    bench.warnings.push(`memory: the server was busy at ${utilisation.toFixed(2)} alone`);
  if (minutes < MINUTES_THAT_COUNT)
    bench.warnings.push(`memory: ${minutes} minutes are too short to tell a leak`);
  const [singles, batches] = [phaseOf(report, 'single', 0), phaseOf(report, 'batch', 0)];
  const counted = seconds - SETTLE_SECONDS;
  if (batches.ok < LEAST_MIXED * batches.due) {
    bench.warnings.push(
      `memory: ${batches.ok} of ${batches.due} batches were served, too few for a mixed load`,
    );
  }
  return [
    memoryCondition(samples, seconds, {
      serverUtilisation: significant(utilisation, 3),
      credentialsPerSecond: significant((singles.ok + batches.ok * BATCH_ITEMS) / counted),
      singles: perSecond(singles, counted),
      batches: perSecond(batches, counted),
      p99Ms: significant(singles.okLatency.p99Us / 1000, 3),
    }),
  ];
}

/** Where the calls of a stream went. */
function perSecond({ due, ok, refused, unsent, late }: PhaseTally, countedSeconds: number) {
  const rates = Object.entries({ due, ok, refused, unsent, late });
  return Object.fromEntries(rates.map(([name, count]) => [name, significant(count / countedSeconds)]));
}

/** The median of each window after the warm-up; all must be near their mean. */
export function memoryCondition(samples: readonly MemorySample[], seconds: number, details: object): Row {
  const warmUp = Math.min(WARM_UP_SECONDS, seconds / 2);
  const window = Math.min(WINDOW_SECONDS, (seconds - warmUp) / LEAST_WINDOWS);
  const counted = samples.filter((sample) => sample.seconds >= warmUp);
  const windows = Array.from({ length: Math.floor((seconds - warmUp) / window) }, (_, index) => {
    const from = warmUp + index * window;
    return median(
      counted.filter((s) => s.seconds >= from && s.seconds < from + window).map(({ mib }) => mib),
    );
  });
  const mean = windows.reduce((sum, mib) => sum + mib, 0) / windows.length;
  const deviation = Math.max(...windows.map((mib) => Math.abs(mib - mean))) / mean;
  return condition({
    suite: 'scale',
    case: 'memory at full load',
    condition: `medians of ${significant(window, 3)} s, furthest from their mean`,
    bar: `<= ${MOST_DEVIATION}`,
    measured: deviation,
    pass: deviation <= MOST_DEVIATION,
    meanMiB: significant(mean),
    leastMiB: significant(Math.min(...windows)),
    mostMiB: significant(Math.max(...windows)),
    slopeMiBPerHour: significant(slopePerSecond(counted) * 3_600, 3),
    warmUpSeconds: warmUp,
    windowsMiB: windows.map((mib) => significant(mib)),
    ...details,
  });
}

/** Least squares through all the samples. */
export function slopePerSecond(samples: readonly MemorySample[]): number {
  const mean = (figure: (sample: MemorySample) => number): number =>
    samples.reduce((sum, sample) => sum + figure(sample), 0) / samples.length;
  const [at, of] = [mean(({ seconds }) => seconds), mean(({ mib }) => mib)];
  const spread = mean(({ seconds }) => (seconds - at) ** 2);
  return spread === 0 ? 0 : mean(({ seconds, mib }) => (seconds - at) * (mib - of)) / spread;
}

/** Says once a minute where it stands: ten minutes without a word look like a hang. */
function sampleMemory(pid: number) {
  const beganMs = performance.now();
  const samples: MemorySample[] = [];
  const timer = setInterval(() => {
    const seconds = (performance.now() - beganMs) / 1000;
    samples.push({ seconds, mib: residentMiB(pid) });
    if (samples.length % 60 === 0) {
      console.error(
        `bench: scale, memory after ${seconds.toFixed(0)} s: ${samples.at(-1)?.mib.toFixed(0)} MiB`,
      );
    }
  }, SAMPLE_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return samples;
    },
  };
}
