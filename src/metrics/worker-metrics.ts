/** How the data-plane threads fare: how many serve, how many were replaced, how long work waits for them. */
import type { Registry } from 'prom-client';
import { type Counters, LAG_BUCKETS, LATENCY_BUCKETS } from './counters.ts';
import { counter, gauge, histogram, type Sample } from './metric-kinds.ts';
import { mergeViews } from './over-threads.ts';

export interface WorkerFacts {
  readonly serving: number;
  /** Threads replaced so far, by why. */
  readonly restarts: Readonly<Record<string, number>>;
}

/** Threads by number, as in `vigie_engine_in_force_info`; a replacement may count on under its predecessor's. */
export function workerMetrics(
  registry: Registry,
  slabs: () => readonly Counters[],
  facts: { workers(): WorkerFacts },
): void {
  // The last slab is the main thread's, of which the default metrics tell.
  const workers = (): readonly Counters[] => slabs().slice(0, -1);
  gauge(registry, 'vigie_workers', 'Data-plane threads that take connections.', [], () => [
    [{}, facts.workers().serving],
  ]);
  counter(registry, 'vigie_worker_restarts_total', 'Data-plane threads replaced, by why.', ['why'], () =>
    Object.entries(facts.workers().restarts).map(([why, count]): Sample => [{ why }, count]),
  );
  histogram(
    registry,
    'vigie_worker_event_loop_lag_seconds',
    'How late a timer of 100 ms was called, beyond its own resolution, by worker.',
    LAG_BUCKETS,
    () => workers().map((slab, index) => [{ worker: String(index) }, slab.loopLags()] as const),
  );
  gauge(
    registry,
    'vigie_worker_event_loop_utilization_ratio',
    'Share of the last second in which the event loop was busy, by worker.',
    ['worker'],
    () => workers().map((slab, index): Sample => [{ worker: String(index) }, slab.utilisation()]),
  );
  histogram(
    registry,
    'vigie_single_call_queue_delay_seconds',
    'Time from the first single call gathered in a turn of the event loop to its verification.',
    LATENCY_BUCKETS,
    () => [[{}, mergeViews(workers().map((slab) => slab.queueDelays()))] as const],
  );
}
