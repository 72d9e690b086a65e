/**
 * Keeps callers from waiting, one after the other, for somebody who does not answer: after a failure nobody asks until
 * a probe in the background, repeated with jitter, was answered.
 */
import { retryDelayMs } from '../redis/retry-delay.ts';

export interface Breaker {
  /** Nobody is to ask now. */
  isOpen(): boolean;
  /** `because`: a code, for the log. */
  open(because: string): void;
  stop(): void;
}

export interface BreakerOptions {
  /** Whether all is well again; never rejects, and ends in bounded time. */
  probe(): Promise<boolean>;
  /** `undefined`: all is well again. */
  onChange(because: string | undefined): void;
  readonly random: () => number;
}

/** Between two probes at most; the first comes within a tenth of a second. */
const MAX_DELAY_MS = 1_000;

export function createBreaker({ probe, onChange, random }: BreakerOptions): Breaker {
  let timer: NodeJS.Timeout | undefined;
  let state: 'closed' | 'open' | 'stopped' = 'closed';
  const probeAfter = (attempt: number): void => {
    timer = setTimeout(
      async () => {
        const isWell = await probe();
        if (state !== 'open') return;
        if (!isWell) return probeAfter(Math.min(attempt + 1, 16));
        state = 'closed';
        onChange(undefined);
      },
      retryDelayMs(attempt, random, MAX_DELAY_MS),
    );
    // Waits for nobody at the end of a process.
    timer.unref();
  };
  return {
    isOpen: () => state !== 'closed',
    open: (because) => {
      if (state !== 'closed') return;
      state = 'open';
      onChange(because);
      probeAfter(1);
    },
    stop: () => {
      state = 'stopped';
      clearTimeout(timer);
    },
  };
}
