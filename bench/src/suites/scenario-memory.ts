/** How the gateway's memory grows while a scenario is on: from before it to after it, and by the hour. */
import { residentMiB } from './open-loop-bench.ts';
import { type MemorySample, slopePerSecond } from './scale-memory.ts';

export interface Growth {
  /** More resident memory than before. */
  readonly mib: number;
  /** The slope of the line through a sample of every second, the beginning left out. */
  readonly mibPerHour: number;
}

const SAMPLE_MS = 1_000;
/** Heaps grow to what the load needs; short runs have half of their time for it. */
const WARM_UP_SECONDS = 60;

export function watchGrowth(pid: number): { stop(): Growth } {
  const beganMs = performance.now();
  const beforeMiB = residentMiB(pid);
  const samples: MemorySample[] = [];
  const timer = setInterval(() => {
    samples.push({ seconds: (performance.now() - beganMs) / 1000, mib: residentMiB(pid) });
  }, SAMPLE_MS);
  // A run that fails meanwhile ends all the same.
  timer.unref();
  return {
    stop: () => {
      clearInterval(timer);
      return { mib: residentMiB(pid) - beforeMiB, mibPerHour: hourlySlope(samples) };
    },
  };
}

/** Not a number where there are too few samples for a line. */
export function hourlySlope(samples: readonly MemorySample[]): number {
  const warmUp = Math.min(WARM_UP_SECONDS, (samples.at(-1)?.seconds ?? 0) / 2);
  const counted = samples.filter(({ seconds }) => seconds >= warmUp);
  return counted.length < 2 ? Number.NaN : slopePerSecond(counted) * 3_600;
}
