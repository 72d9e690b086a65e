/**
 * Whether memory is flat: the straight line that fits its samples best, once the process has warmed up, and once more over
 * the last half, where what finds its size has found it. In minutes neither tells much: only longer soaks judge memory.
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
  /** Of the line through the last half of a soak, through the lowest sample of each minute; NaN where that is too short. */
  readonly lateMibPerMinute: number;
  /** What that slope may be off by. */
  readonly lateDoubt: number;
  /** `undefined`: the soak was too short to tell anything. */
  readonly isFlat: boolean | undefined;
}

/** The part of a soak in which compilers and allocators find their size; at most five minutes. */
const WARM_UP_PART = 1 / 3;
const MOST_WARM_UP_SECONDS = 300;
/**
 * The heaps of three threads and their allocator's fragments, which the largest bodies of all make room for when two of them
 * meet; and what the store maps of the changes made meanwhile. In half an hour a leak of 4 MiB a minute is more.
 */
export const MOST_RISE_MIB = 96;
/** Of the last half, beyond doubt: a day of it would be more than a gateway has. */
export const MOST_LATE_MIB_PER_MINUTE = 1;
/** In less there are too few samples behind the warm-up for a line. */
export const LEAST_LINE_SECONDS = 60;
/** In less the last half begins while heaps still grow into their size, and is shorter than what they vary by. */
export const LEAST_JUDGED_SECONDS = 1_200;
/** Memory varies by some 30 MiB from minute to minute: a slope says something where it is so many standard errors off. */
const STANDARD_ERRORS = 3;
const MINUTE_SECONDS = 60;
const MIB = 1024 ** 2;

/** Of each so many samples the lowest counts: what a body of 16 MiB takes until garbage is collected is no leak. */
const WINDOW = 5;
/** Of a line. */
export const LEAST_WINDOWS = 3;

function lowest(samples: readonly MemorySample[]): MemorySample[] {
  const windows = Array.from({ length: Math.floor(samples.length / WINDOW) }, (_, i) =>
    samples.slice(i * WINDOW, (i + 1) * WINDOW),
  );
  return windows.map((window) => window.reduce((low, one) => (one.bytes < low.bytes ? one : low)));
}

/** Least squares, so that no single moment decides. */
function lineThrough(samples: readonly MemorySample[]) {
  const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
  const meanSeconds = mean(samples.map(({ seconds }) => seconds));
  const meanBytes = mean(samples.map(({ bytes }) => bytes));
  let products = 0;
  let squares = 0;
  for (const { seconds, bytes } of samples) {
    products += (seconds - meanSeconds) * (bytes - meanBytes);
    squares += (seconds - meanSeconds) ** 2;
  }
  const slope = products / squares;
  const residuals = samples.map(({ seconds, bytes }) => bytes - meanBytes - slope * (seconds - meanSeconds));
  const variance = residuals.reduce((sum, one) => sum + one * one, 0) / (samples.length - 2);
  const perMinute = (bytesPerSecond: number): number => (bytesPerSecond * 60) / MIB;
  return { mibPerMinute: perMinute(slope), standardError: perMinute(Math.sqrt(variance / squares)) };
}

function lowestByMinute(samples: readonly MemorySample[]): MemorySample[] {
  const low = new Map<number, MemorySample>();
  for (const one of samples) {
    const minute = Math.floor(one.seconds / MINUTE_SECONDS);
    if (one.bytes < (low.get(minute)?.bytes ?? Number.POSITIVE_INFINITY)) low.set(minute, one);
  }
  return [...low.values()];
}

export function memoryLine(samples: readonly MemorySample[], soakSeconds: number): MemoryLine {
  const warmUpSeconds = Math.min(MOST_WARM_UP_SECONDS, soakSeconds * WARM_UP_PART);
  const behind = (atSeconds: number) => samples.filter(({ seconds }) => seconds >= atSeconds);
  const warm = lowest(behind(warmUpSeconds));
  const { mibPerMinute } = lineThrough(warm);
  const spanSeconds = (warm.at(-1)?.seconds ?? Number.NaN) - (warm[0]?.seconds ?? Number.NaN);
  const riseMib = (mibPerMinute * spanSeconds) / 60;
  const late = lineThrough(lowestByMinute(behind(soakSeconds / 2)));
  const isJudged = soakSeconds >= LEAST_JUDGED_SECONDS;
  const lateMibPerMinute = isJudged ? late.mibPerMinute : Number.NaN;
  const lateDoubt = isJudged ? STANDARD_ERRORS * late.standardError : Number.NaN;
  const isSettled = !isJudged || lateMibPerMinute - lateDoubt <= MOST_LATE_MIB_PER_MINUTE;
  // Where there should be samples enough and are not, there is no line, and nothing that could be called flat.
  const isSoFlat = warm.length >= LEAST_WINDOWS && riseMib <= MOST_RISE_MIB && isSettled;
  const isFlat = soakSeconds < LEAST_LINE_SECONDS ? undefined : isSoFlat;
  return { windows: warm.length, mibPerMinute, riseMib, lateMibPerMinute, lateDoubt, isFlat };
}
