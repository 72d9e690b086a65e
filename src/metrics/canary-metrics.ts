/** What operators watch of the canary. All absent where it is off. */
import type { Registry } from 'prom-client';
import type { HistogramView } from './counters.ts';
import { DELAY_BUCKETS } from './delays.ts';
import { counter, gauge, histogram, type Sample } from './metric-kinds.ts';

/** Of one worker in one round. `unarmed`: right, but the known-revoked card could not be asked for yet. */
export type CanaryResult = 'ok' | 'unarmed' | 'wrong' | 'late';

export interface CanaryFacts {
  readonly healthy: boolean;
  readonly runs: Readonly<Record<CanaryResult, number>>;
  readonly durations: HistogramView;
}

export function canaryMetrics(registry: Registry, read: () => CanaryFacts | undefined): void {
  gauge(
    registry,
    'vigie_canary_healthy',
    '1 while every worker answers the canary rightly and in time; at 0 the gateway is not ready.',
    [],
    () => {
      const facts = read();
      return facts === undefined ? [] : [[{}, facts.healthy ? 1 : 0]];
    },
  );
  counter(
    registry,
    'vigie_canary_runs_total',
    'Canary rounds of the workers, by result; counted as traffic by the key cache and the cross-checks alone.',
    ['result'],
    () => Object.entries(read()?.runs ?? {}).map(([result, count]): Sample => [{ result }, count]),
  );
  histogram(
    registry,
    'vigie_canary_duration_seconds',
    "From asking a worker for the canary's answers to having them, its wait for the event loop included.",
    DELAY_BUCKETS,
    () => {
      const facts = read();
      return facts === undefined ? [] : [[{}, facts.durations] as const];
    },
  );
}
