/** What was shed and why, and how full the queues are. */
import type { Registry } from 'prom-client';
import { SHED_REASONS } from '../ingress/admission/admission.ts';
import { type Counters, LANES, type Level } from './counters.ts';
import { counter, gauge, type Sample } from './metric-kinds.ts';

export function overloadMetrics(registry: Registry, slabs: () => readonly Counters[]): void {
  const sum = (read: (slab: Counters) => number): number =>
    slabs().reduce((total, slab) => total + read(slab), 0);
  const level = (name: string, help: string, which: Level, unit = 1): void =>
    gauge(registry, name, help, [], () => [[{}, sum((slab) => slab.level(which)) / unit]]);

  counter(registry, 'vigie_shed_total', 'Calls refused for want of capacity.', ['what', 'why'], () =>
    LANES.flatMap((what) =>
      SHED_REASONS.map((why): Sample => [{ what, why }, sum((slab) => slab.shed(what, why))]),
    ),
  );
  gauge(registry, 'vigie_overloaded_workers', 'Workers that shed, by what.', ['what'], () =>
    LANES.map((what): Sample => [{ what }, sum((slab) => slab.overload(what))]),
  );
  level('vigie_batch_queue_items', 'Items of batches admitted and not yet verified.', 'batchItems');
  level('vigie_batch_queue_seconds', 'The same in estimated time, all workers together.', 'batchMs', 1000);
  level('vigie_refusals_waiting', 'Refusals held back, with their connections.', 'refusalsWaiting');
  level('vigie_connections', 'Connections open at the data listener.', 'connections');
  counter(
    registry,
    'vigie_connections_refused_total',
    'Connections closed unread, beyond VIGIE_MAX_CONNECTIONS.',
    [],
    () => [[{}, sum((slab) => slab.connectionsRefused())]],
  );
}
