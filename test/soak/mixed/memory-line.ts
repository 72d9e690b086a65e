/** Whether memory is flat: the straight line that fits its samples best, once the process has warmed up. */

export interface MemorySample {
  /** Since the soak began. */
  readonly seconds: number;
  readonly bytes: number;
}

export interface MemoryLine {
  /** Windows of samples that the line is fitted to. */
  readonly windows: number;
  /** Of the line. */
  readonly mibPerMinute: number;
  /** What the line rises by from the first window behind the warm-up to the last. */
  readonly riseMib: number;
  readonly isFlat: boolean;
}

/** The part of a soak in which compilers and allocators find their size; at most five minutes. */
const WARM_UP_PART = 1 / 3;
const MOST_WARM_UP_SECONDS = 300;
/**
 * The heaps of three threads and their allocator's fragments, which the largest bodies of all make room for when two of them
 * meet; and what the store maps of the changes made meanwhile. In half an hour a leak of 4 MiB a minute is more.
 */
export const MOST_RISE_MIB = 96;
const MIB = 1024 ** 2;

/** Of each so many samples the lowest counts: what a body of 16 MiB takes until garbage is collected is no leak. */
const WINDOW = 5;

function lowest(samples: readonly MemorySample[]): MemorySample[] {
  const windows = Array.from({ length: Math.floor(samples.length / WINDOW) }, (_, i) =>
    samples.slice(i * WINDOW, (i + 1) * WINDOW),
  );
  return windows.map((window) => window.reduce((low, one) => (one.bytes < low.bytes ? one : low)));
}

/** Least squares, so that no single moment decides. */
export function memoryLine(samples: readonly MemorySample[], soakSeconds: number): MemoryLine {
  const warmUpSeconds = Math.min(MOST_WARM_UP_SECONDS, soakSeconds * WARM_UP_PART);
  const warm = lowest(samples.filter(({ seconds }) => seconds >= warmUpSeconds));
  const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
  const meanSeconds = mean(warm.map(({ seconds }) => seconds));
  const meanBytes = mean(warm.map(({ bytes }) => bytes));
  let products = 0;
  let squares = 0;
  for (const { seconds, bytes } of warm) {
    products += (seconds - meanSeconds) * (bytes - meanBytes);
    squares += (seconds - meanSeconds) ** 2;
  }
  const bytesPerSecond = products / squares;
  const spanSeconds = (warm.at(-1)?.seconds ?? Number.NaN) - (warm[0]?.seconds ?? Number.NaN);
  const riseMib = (bytesPerSecond * spanSeconds) / MIB;
  // Without samples enough there is no line, and nothing that could be called flat.
  const isFlat = warm.length >= 3 && riseMib <= MOST_RISE_MIB;
  return { windows: warm.length, mibPerMinute: (bytesPerSecond * 60) / MIB, riseMib, isFlat };
}
