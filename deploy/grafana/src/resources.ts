/** What the gateways use of their machines: threads, memory, connections. */
import * as units from '@grafana/grafana-foundation-sdk/units';
import type { Row } from './page.ts';
import { inRange, of, quantile, sum } from './queries.ts';

export const threads: Row = {
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
      runbook: 'VigieLatencyBurnsFast',
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
      runbook: 'VigieRevocationStale',
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
      runbook: 'VigieWorkerRestarted',
      queries: [[sum(`increase(${of('vigie_worker_restarts_total')}[5m])`, 'why'), '{{why}}']],
    },
  ],
};

export const resources: Row = {
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
      runbook: 'VigieNearCapacity',
      queries: [[of('vigie_process_resident_memory_bytes'), '{{instance}}']],
    },
    {
      kind: 'graph',
      id: 42,
      title: 'Memory of the main thread',
      unit: units.BytesIEC,
      min: 0,
      description: 'JavaScript heap in use, and memory outside it. Workers have heaps of their own.',
      runbook: 'VigieNearCapacity',
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
      runbook: 'VigieNearCapacity',
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
      runbook: 'VigieConnectionsRefused',
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
      runbook: 'VigieFileDescriptorsLow',
      thresholds: [
        [0, 'green'],
        [0.7, 'orange'],
        [0.9, 'red'],
      ],
      queries: [[`max(${of('vigie_process_open_fds')} / ${of('vigie_process_max_fds')})`, 'in use']],
    },
  ],
};
