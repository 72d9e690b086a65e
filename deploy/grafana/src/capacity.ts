/** How much more the gateways can do, and what gives way first when it is too much. */
import * as units from '@grafana/grafana-foundation-sdk/units';
import type { Page, Row } from './page.ts';
import { of, perSecond, quantile, share, sum, VERIFY_ROUTES } from './queries.ts';
import { resources, threads } from './resources.ts';

const UTILISATION = of('vigie_worker_event_loop_utilization_ratio');
/** A second's figure jumps; capacity is planned by minutes. */
const MEAN_UTILISATION = `avg(avg_over_time(${UTILISATION}[5m]))`;

const headroom: Row = {
  id: 10,
  title: 'Headroom',
  panels: [
    {
      kind: 'figure',
      id: 11,
      title: 'Headroom',
      unit: units.PercentUnit,
      width: 6,
      decimals: 0,
      description:
        "Share of the workers' time that was free in the last five minutes. Below 30 % add gateways: one lost gateway must fit into the others.",
      runbook: 'VigieNearCapacity',
      thresholds: [
        [0, 'red'],
        [0.15, 'orange'],
        [0.3, 'green'],
      ],
      queries: [[`1 - ${MEAN_UTILISATION}`, 'free']],
    },
    {
      kind: 'figure',
      id: 12,
      title: 'Busiest worker',
      unit: units.PercentUnit,
      width: 6,
      decimals: 0,
      description:
        'Over five minutes. Far above the mean: few long-lived connections, unevenly spread; let callers open more.',
      runbook: 'VigieNearCapacity',
      thresholds: [
        [0, 'green'],
        [0.7, 'orange'],
        [0.85, 'red'],
      ],
      queries: [[`max(avg_over_time(${UTILISATION}[5m]))`, 'busy']],
    },
    {
      kind: 'figure',
      id: 13,
      title: 'Workers serving',
      unit: units.Short,
      width: 6,
      description: 'Threads that take connections. Fewer than set: one is being replaced; see restarts.',
      runbook: 'VigieWorkerRestarted',
      queries: [[sum(of('vigie_workers')), 'workers']],
    },
    {
      kind: 'figure',
      id: 14,
      title: 'Workers that shed',
      unit: units.Short,
      width: 6,
      description:
        'Batches give way first. Singles shed too: more comes than can be done; add gateways, or find the caller.',
      runbook: 'VigieSingleCallsShed',
      thresholds: [
        [0, 'green'],
        [1, 'red'],
      ],
      queries: [[sum(of('vigie_overloaded_workers'), 'what'), '{{what}}']],
    },
    {
      kind: 'graph',
      id: 15,
      title: 'Utilisation of workers',
      unit: units.PercentUnit,
      min: 0,
      max: 1,
      description:
        'Share of the last second in which each event loop was busy. Near 1 for minutes calls wait: see queue delay and shedding.',
      runbook: 'VigieNearCapacity',
      queries: [[UTILISATION, '{{instance}}, worker {{worker}}']],
    },
    {
      kind: 'graph',
      id: 16,
      title: 'Credentials verified, and what it could be',
      unit: units.CountsPerSecond,
      min: 0,
      description:
        'Could be: what is done now, divided by the utilisation. An estimate: good from a quarter of the load on, and for the present mixture of singles and batches.',
      runbook: 'VigieNearCapacity',
      queries: [
        [sum(perSecond('vigie_verdicts_total')), 'now'],
        [`${sum(`rate(${of('vigie_verdicts_total')}[5m])`)} / ${MEAN_UTILISATION}`, 'could be'],
      ],
    },
    {
      kind: 'graph',
      id: 17,
      title: 'Processor time',
      unit: units.Short,
      min: 0,
      description:
        "Cores in use, by gateway. Below the sum of the workers' utilisation: the machine gives the process less than it asks for (limits, noisy neighbours).",
      runbook: 'VigieNearCapacity',
      queries: [[perSecond('vigie_process_cpu_seconds_total'), '{{instance}}']],
    },
  ],
};

const overload: Row = {
  id: 20,
  title: 'Overload',
  panels: [
    {
      kind: 'graph',
      id: 21,
      title: 'Calls shed',
      unit: units.RequestsPerSecond,
      min: 0,
      description:
        'queue: no room. share: one caller had more than the others; find it by its address. singles: batches give way. deadline: waited too long. memory: VIGIE_BODY_MEMORY_BYTES is in use.',
      runbook: 'VigieSingleCallsShed',
      queries: [[sum(perSecond('vigie_shed_total'), 'what', 'why'), '{{what}}: {{why}}']],
    },
    {
      kind: 'graph',
      id: 22,
      title: 'Share of calls shed',
      unit: units.PercentUnit,
      min: 0,
      description:
        'Of all verification calls. What is shed is told to come back; shares above a few per cent for long are capacity that is lacking.',
      runbook: 'VigieSingleCallsShed',
      queries: [
        [
          share(
            sum(perSecond('vigie_shed_total')),
            sum(perSecond('vigie_request_duration_seconds_count', VERIFY_ROUTES)),
          ),
          'shed',
        ],
      ],
    },
    {
      kind: 'graph',
      id: 23,
      title: 'Queue delay of single calls',
      unit: units.Seconds,
      min: 0,
      description:
        'Wait of the first call gathered in a turn of the event loop. VIGIE_QUEUE_TARGET_MS says from when on it is an overload.',
      runbook: 'VigieLatencyBurnsFast',
      queries: [0.5, 0.99].map(
        (q) => [quantile(q, 'vigie_single_call_queue_delay_seconds', []), `p${q * 100}`] as const,
      ),
    },
    {
      kind: 'graph',
      id: 24,
      title: 'Batches queued',
      unit: units.Short,
      min: 0,
      description: 'Items admitted and not yet verified. A hill in a burst is what the queue is for.',
      runbook: 'VigieBatchesShed',
      queries: [[of('vigie_batch_queue_items'), '{{instance}}']],
    },
    {
      kind: 'graph',
      id: 25,
      title: 'Batches queued, in time',
      unit: units.Seconds,
      min: 0,
      description:
        'The same in estimated time of all workers together. Each worker queues VIGIE_BATCH_QUEUE_MS at most.',
      runbook: 'VigieBatchesShed',
      queries: [[of('vigie_batch_queue_seconds'), '{{instance}}']],
    },
    {
      kind: 'graph',
      id: 26,
      title: 'Refusals held back',
      unit: units.Short,
      min: 0,
      description: 'With their connections: callers that come back at once are slowed down by it.',
      runbook: 'VigieSingleCallsShed',
      queries: [[of('vigie_refusals_waiting'), '{{instance}}']],
    },
  ],
};

export const capacity: Page = {
  name: 'capacity',
  title: 'capacity',
  description: 'How much more the gateways can do, and what gives way first when it is too much.',
  rows: [headroom, overload, threads, resources],
};
