/**
 * Whether memory is flat: the straight line that fits its samples best, once the process has warmed up, and once more over
 * the last half, where what finds its size has found it. In minutes neither tells anything: only longer soaks judge memory.
 */

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
  /** Of the line through the last half of a soak; NaN where that is too short to judge. */
  readonly lateMibPerMinute: number;
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
/** Of the last half: a day of it would be more than a gateway has. */
export const MOST_LATE_MIB_PER_MINUTE = 1;
/** The last half of less holds too few of the moments at which garbage is collected. */
export const LEAST_JUDGED_SECONDS = 600;
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
function bytesPerSecondOf(samples: readonly MemorySample[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
  const meanSeconds = mean(samples.map(({ seconds }) => seconds));
  const meanBytes = mean(samples.map(({ bytes }) => bytes));
  let products = 0;
  let squares = 0;
  for (const { seconds, bytes } of samples) {
    products += (seconds - meanSeconds) * (bytes - meanBytes);
    squares += (seconds - meanSeconds) ** 2;
  }
  return products / squares;
}

export function memoryLine(samples: readonly MemorySample[], soakSeconds: number): MemoryLine {
  const warmUpSeconds = Math.min(MOST_WARM_UP_SECONDS, soakSeconds * WARM_UP_PART);
  const behind = (atSeconds: number): MemorySample[] =>
    lowest(samples.filter(({ seconds }) => seconds >= atSeconds));
  const mibPerMinuteOf = (part: readonly MemorySample[]): number => (bytesPerSecondOf(part) * 60) / MIB;
  const warm = behind(warmUpSeconds);
  const mibPerMinute = mibPerMinuteOf(warm);
  const spanSeconds = (warm.at(-1)?.seconds ?? Number.NaN) - (warm[0]?.seconds ?? Number.NaN);
  const riseMib = (mibPerMinute * spanSeconds) / 60;
  const isJudged = soakSeconds >= LEAST_JUDGED_SECONDS;
  const lateMibPerMinute = isJudged ? mibPerMinuteOf(behind(soakSeconds / 2)) : Number.NaN;
  // Without samples enough there is no line, and nothing that could be called flat.
  const isFlat =
    warm.length >= 3 &&
    riseMib <= MOST_RISE_MIB &&
    (!isJudged || lateMibPerMinute <= MOST_LATE_MIB_PER_MINUTE);
  return { windows: warm.length, mibPerMinute, riseMib, lateMibPerMinute, isFlat };
}
