/** How much more the gateways can do, and what gives way first when it is too much. */
import * as units from '@grafana/grafana-foundation-sdk/units';
import type { Page, Row } from './page.ts';
import { inRange, of, perSecond, quantile, share, sum, VERIFY_ROUTES } from './queries.ts';

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
      runbook: 'capacity',
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
      runbook: 'capacity',
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
      runbook: 'workers',
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
      runbook: 'shedding',
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
      runbook: 'capacity',
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
      runbook: 'capacity',
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
      runbook: 'capacity',
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
      runbook: 'shedding',
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
      runbook: 'shedding',
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
      runbook: 'latency',
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
      runbook: 'shedding',
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
      runbook: 'shedding',
      queries: [[of('vigie_batch_queue_seconds'), '{{instance}}']],
    },
    {
      kind: 'graph',
      id: 26,
      title: 'Refusals held back',
      unit: units.Short,
      min: 0,
      description: 'With their connections: callers that come back at once are slowed down by it.',
      runbook: 'shedding',
      queries: [[of('vigie_refusals_waiting'), '{{instance}}']],
    },
  ],
};

const threads: Row = {
  id: 30,
  title: 'Threads',
  panels: [
    {
      kind: 'graph',
      id: 31,
      title: 'Event-loop lag of workers, p99',
      unit: units.Seconds,
      min: 0,
      description:
        'How late a timer was called. High at low utilisation: the machine takes the processor away.',
      runbook: 'latency',
      queries: [
        [
          quantile(0.99, 'vigie_worker_event_loop_lag_seconds', ['instance', 'worker']),
          '{{instance}}, worker {{worker}}',
        ],
      ],
    },
    {
      kind: 'graph',
      id: 32,
      title: 'Event-loop lag of the main thread, p99',
      unit: units.Seconds,
      min: 0,
      description:
        'The control plane: a late one reads revocations late and answers probes late. Some 10 ms are its resolution.',
      runbook: 'revocation-stale',
      queries: [[of('vigie_nodejs_eventloop_lag_p99_seconds'), '{{instance}}']],
    },
    {
      kind: 'graph',
      id: 33,
      title: 'Workers replaced',
      unit: units.Short,
      min: 0,
      description:
        'Within five minutes, by why. One is mended by itself, again and again is a defect or an input that provokes it: keep the log. out_of_memory: see VIGIE_WORKER_HEAP_MB.',
      runbook: 'workers',
      queries: [[sum(`increase(${of('vigie_worker_restarts_total')}[5m])`, 'why'), '{{why}}']],
    },
  ],
};

const resources: Row = {
  id: 40,
  title: 'Memory and connections',
  panels: [
    {
      kind: 'graph',
      id: 41,
      title: 'Resident memory',
      unit: units.BytesIEC,
      min: 0,
      description:
        'Of the process, the mapped status store with it. A rise over days without a rise in cards or keys is a leak: restart by turns and report it.',
      runbook: 'capacity',
      queries: [[of('vigie_process_resident_memory_bytes'), '{{instance}}']],
    },
    {
      kind: 'graph',
      id: 42,
      title: 'Memory of the main thread',
      unit: units.BytesIEC,
      min: 0,
      description: 'JavaScript heap in use, and memory outside it. Workers have heaps of their own.',
      runbook: 'capacity',
      queries: [
        [sum(of('vigie_nodejs_heap_size_used_bytes'), 'instance'), 'heap, {{instance}}'],
        [sum(of('vigie_nodejs_external_memory_bytes'), 'instance'), 'external, {{instance}}'],
      ],
    },
    {
      kind: 'graph',
      id: 43,
      title: 'Connections',
      unit: units.Short,
      min: 0,
      description:
        'Open at the data listener. Uneven between gateways: callers keep few long-lived ones; the load balancer has to spread them.',
      runbook: 'capacity',
      queries: [[of('vigie_connections'), '{{instance}}']],
    },
    {
      kind: 'figure',
      id: 44,
      title: 'Connections refused',
      unit: units.Short,
      width: 12,
      decimals: 0,
      description:
        'Within the time shown: closed unread, beyond VIGIE_MAX_CONNECTIONS. Find who opens so many before you raise it.',
      runbook: 'shedding',
      thresholds: [
        [0, 'green'],
        [1, 'red'],
      ],
      queries: [[sum(inRange('vigie_connections_refused_total')), 'refused']],
    },
    {
      kind: 'figure',
      id: 45,
      title: 'File descriptors in use',
      unit: units.PercentUnit,
      width: 12,
      decimals: 1,
      description:
        'Of the fullest process. Near 1 no connection can be taken: raise the limit of the service (ulimit -n).',
      runbook: 'capacity',
      thresholds: [
        [0, 'green'],
        [0.7, 'orange'],
        [0.9, 'red'],
      ],
      queries: [[`max(${of('vigie_process_open_fds')} / ${of('vigie_process_max_fds')})`, 'in use']],
    },
  ],
};

export const capacity: Page = {
  name: 'capacity',
  title: 'capacity',
  description: 'How much more the gateways can do, and what gives way first when it is too much.',
  rows: [headroom, overload, threads, resources],
};
