/** When the source is asked next: at intervals while it answers, with growing waits while it does not. */

export interface RefreshTimes {
  readonly refreshMs: number;
  readonly retryMinMs: number;
  readonly retryMaxMs: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export interface RefreshTimer {
  /** Sets the one timer anew; after `stop` does nothing. */
  schedule(next: 'interval' | 'retry'): void;
  stop(): void;
}

/** The timer never keeps the process alive. */
export function createRefreshTimer(times: RefreshTimes, refresh: () => void): RefreshTimer {
  let timer: NodeJS.Timeout | undefined;
  let retries = 0;
  let stopped = false;
  return {
    schedule(next) {
      if (stopped) return;
      clearTimeout(timer);
      retries = next === 'retry' ? retries + 1 : 0;
      timer = setTimeout(refresh, delayMs(times, retries));
      timer.unref();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/**
 * The wait before the next refresh after so many failures in a row. Gateways that lost the same source at
 * the same instant must not come back as a herd: a retry takes between half of its wait and all of it, an
 * interval a tenth more or less.
 */
export function delayMs(times: RefreshTimes, retries: number): number {
  if (retries === 0) return times.refreshMs * (0.9 + 0.2 * times.random());
  const waitMs = Math.min(times.retryMaxMs, times.retryMinMs * 2 ** (retries - 1));
  return waitMs * (0.5 + 0.5 * times.random());
}
