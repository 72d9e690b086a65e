/** Revocations from their admission to their enforcement, and what happens to their shared log. */
import * as units from '@grafana/grafana-foundation-sdk/units';
import type { Page, Row } from './page.ts';
import { inRange, of, perSecond, quantile, sum } from './queries.ts';

const ON_EVENT = [
  [0, 'green'],
  [1, 'red'],
] as const;
const ON_WORK = [
  [0, 'green'],
  [1, 'orange'],
] as const;

const enforcement: Row = {
  id: 10,
  title: 'Enforcement',
  panels: [
    {
      kind: 'graph',
      id: 11,
      title: 'From change to enforcement',
      unit: units.Seconds,
      min: 0,
      description:
        "By the admitting gateway's clock, until every worker here enforces. The promise is 1 s at p99 and 5 s at most: above it see lag and the calls to Redis, and the gateways' clocks.",
      runbook: 'enforcement',
      thresholds: [
        [0, 'green'],
        [5, 'red'],
      ],
      queries: [0.5, 0.99].map(
        (q) => [quantile(q, 'vigie_revocation_enforcement_seconds', []), `p${q * 100}`] as const,
      ),
    },
    {
      kind: 'graph',
      id: 12,
      title: 'Age of revocation knowledge',
      unit: units.Seconds,
      min: 0,
      description:
        'Beyond 5 s a gateway says stale in every answer, beyond VIGIE_REVOCATION_MAX_AGE_SECONDS it answers revocation_stale. All gateways: Redis. One gateway: its network.',
      runbook: 'revocation-stale',
      thresholds: [
        [0, 'green'],
        [5, 'red'],
      ],
      queries: [[of('vigie_revocation_age_seconds'), '{{instance}}']],
    },
    {
      kind: 'graph',
      id: 13,
      title: 'Records behind the log',
      unit: units.Short,
      min: 0,
      description:
        "Rises in a mass change and falls within seconds. One that stays behind reads its log too slowly: see its disk and the main thread's lag on the capacity page.",
      runbook: 'revocation-stale',
      queries: [[of('vigie_revocation_lag_records'), '{{instance}}']],
    },
    {
      kind: 'graph',
      id: 14,
      title: 'Calls for status changes',
      unit: units.Short,
      min: 0,
      description:
        "Within five minutes, by outcome. mass-change-held waits for somebody's confirmation; unavailable has to be repeated by its caller and may hold already.",
      runbook: 'enforcement',
      queries: [[sum(`increase(${of('vigie_status_change_calls_total')}[5m])`, 'outcome'), '{{outcome}}']],
    },
    {
      kind: 'graph',
      id: 15,
      title: 'Cards with a status',
      unit: units.Short,
      min: 0,
      description:
        'The most that any chosen gateway holds. It never falls for revoked cards; a step nobody announced is a mass revocation: ask who called.',
      runbook: 'enforcement',
      queries: [[`max by (status) (${of('vigie_revocation_entries')})`, '{{status}}']],
    },
    {
      kind: 'graph',
      id: 16,
      title: 'Last change enforced',
      unit: units.Short,
      description:
        'The number of the last change, by gateway. Lines that part: the lower one lags. A number that falls: a new life of the log, see healing.',
      runbook: 'revocation-stale',
      queries: [[of('vigie_revocation_seq'), '{{instance}}']],
    },
  ],
};

const log: Row = {
  id: 20,
  title: 'The shared log in Redis',
  panels: [
    {
      kind: 'graph',
      id: 21,
      title: 'Gateways by state towards the log',
      unit: units.Short,
      stacked: true,
      min: 0,
      description:
        "Following is the good one. Founding and reconciling heal by themselves within minutes; unreachable: Redis or the network; foreign: another deployment's secret or log, mend the settings.",
      runbook: 'redis',
      queries: [[sum(of('vigie_revocation_log_state'), 'state'), '{{state}}']],
    },
    {
      kind: 'graph',
      id: 22,
      title: 'Calls to Redis by result',
      unit: units.CountsPerSecond,
      min: 0,
      description:
        'Unreachable: no answer in time. Refused: Redis is read-only, out of memory or asks for other rights. Malformed: something else wrote under the prefix.',
      runbook: 'redis',
      queries: [[sum(perSecond('vigie_redis_calls_total'), 'result'), '{{result}}']],
    },
    {
      kind: 'graph',
      id: 23,
      title: 'Time of calls to Redis, p99',
      unit: units.Seconds,
      min: 0,
      description:
        "Of following, which runs always, and of appending, which admits changes. Both slow: Redis's machine or its fork for a dump.",
      runbook: 'redis',
      queries: [
        [quantile(0.99, 'vigie_redis_call_duration_seconds', ['call'], 'call=~"follow|append"'), '{{call}}'],
      ],
    },
    {
      kind: 'figure',
      id: 24,
      title: 'New lives founded',
      unit: units.Short,
      decimals: 0,
      description:
        'Within the time shown: the log was empty, older or damaged, and a gateway put it back from its copy. Expected after a loss of Redis; else find out who emptied it.',
      runbook: 'redis',
      thresholds: ON_WORK,
      queries: [[sum(inRange('vigie_revocation_healings_total')), 'founded']],
    },
    {
      kind: 'figure',
      id: 25,
      title: 'Whole comparisons',
      unit: units.Short,
      decimals: 0,
      description:
        'Within the time shown: copies compared whole with the log, after a loss or a long absence.',
      runbook: 'redis',
      thresholds: ON_WORK,
      queries: [[sum(inRange('vigie_revocation_reconciliations_total')), 'compared']],
    },
    {
      kind: 'figure',
      id: 26,
      title: 'Log reached again',
      unit: units.Short,
      decimals: 0,
      description:
        'Within the time shown. Many: connections to Redis break again and again; see the network and failovers.',
      runbook: 'redis',
      thresholds: ON_WORK,
      queries: [[sum(inRange('vigie_revocation_reconnects_total')), 'reconnects']],
    },
    {
      kind: 'figure',
      id: 27,
      title: 'Entries put back',
      unit: units.Short,
      decimals: 0,
      description:
        "Damaged entries of the log that audits put back within the time shown. Somebody or something changes Redis's data: restrict who may write.",
      runbook: 'forged',
      thresholds: ON_EVENT,
      queries: [[sum(inRange('vigie_revocation_restored_entries_total')), 'restored']],
    },
    {
      kind: 'figure',
      id: 28,
      title: 'Faults of own copies',
      unit: units.Short,
      decimals: 0,
      description:
        "Steps that a gateway's own copy failed within the time shown: its disk is full or breaks. Take it out of service and give it a new data volume.",
      runbook: 'redis',
      thresholds: ON_EVENT,
      queries: [[sum(inRange('vigie_revocation_copy_faults_total')), 'faults']],
    },
    {
      kind: 'figure',
      id: 29,
      title: 'Gateways holding changes',
      unit: units.Short,
      description:
        'Gateways that have told the others that the log lacks what they are about to bring. Over within a minute; if not, see their logs.',
      runbook: 'redis',
      thresholds: ON_WORK,
      queries: [[sum(of('vigie_revocation_holding')), 'holding']],
    },
  ],
};

const trust: Row = {
  id: 30,
  title: 'Forged data and the snapshot',
  panels: [
    {
      kind: 'graph',
      id: 31,
      title: 'Data of the log refused',
      unit: units.Short,
      width: 12,
      min: 0,
      description:
        'Within five minutes, by kind: without a good MAC, of another schema, or of another deployment. Not once in normal service: treat it as an attack on Redis, nothing of it was believed.',
      runbook: 'forged',
      queries: [[sum(`increase(${of('vigie_revocation_refused_records_total')}[5m])`, 'what'), '{{what}}']],
    },
    {
      kind: 'graph',
      id: 32,
      title: "The filter's snapshot",
      unit: units.Short,
      width: 12,
      min: 0,
      description:
        'Calls within an hour. Published every quarter of an hour by the gateway that holds the lease, from 50,000 entries on; read by gateways that come without a copy. Failures: Redis has no memory for it.',
      runbook: 'redis',
      queries: [
        [
          sum(`increase(${of('vigie_redis_calls_total', 'call="publishFilter"')}[1h])`, 'result'),
          'published: {{result}}',
        ],
        [
          sum(`increase(${of('vigie_redis_calls_total', 'call="readFilter"')}[1h])`, 'result'),
          'read: {{result}}',
        ],
      ],
    },
  ],
};

const filter: Row = {
  id: 40,
  title: 'The filter',
  panels: [
    {
      kind: 'graph',
      id: 41,
      title: 'Entries of what it is sized for',
      unit: units.PercentUnit,
      min: 0,
      description:
        'At 1 the false positives reach their target rate; beyond, more good cards need the exact check. From 0.8 on raise VIGIE_FILTER_CAPACITY on all gateways.',
      runbook: 'filter',
      thresholds: [
        [0, 'green'],
        [0.8, 'orange'],
        [1, 'red'],
      ],
      queries: [[`${of('vigie_filter_entries')} / ${of('vigie_filter_capacity_entries')}`, '{{instance}}']],
    },
    {
      kind: 'graph',
      id: 42,
      title: 'Bits set',
      unit: units.PercentUnit,
      min: 0,
      description: 'One half is full. It falls only when the filter is rebuilt.',
      runbook: 'filter',
      queries: [[of('vigie_filter_fill_ratio'), '{{instance}}']],
    },
    {
      kind: 'graph',
      id: 43,
      title: 'False positives',
      unit: units.PercentUnit,
      min: 0,
      description:
        'Share of good cards that need the exact check: nobody is refused for it. Measured far above expected: the filter in force is not the one that was filled; rebuild it (POST /admin/v1/filter-rebuilds).',
      runbook: 'filter',
      queries: [[`max by (kind) (${of('vigie_filter_false_positive_ratio')})`, '{{kind}}']],
    },
    {
      kind: 'graph',
      id: 44,
      title: 'Look-ups by result',
      unit: units.CountsPerSecond,
      width: 12,
      min: 0,
      description:
        'Unreadable: the exact copy could not be asked, and the answer was revocation_stale. See the faults of own copies.',
      runbook: 'filter',
      queries: [[sum(perSecond('vigie_filter_checks_total'), 'result'), '{{result}}']],
    },
    {
      kind: 'graph',
      id: 45,
      title: 'Memory of the filter',
      unit: units.BytesIEC,
      width: 12,
      min: 0,
      description: 'Twice as much for a moment, while a filter is rebuilt. Plan for it.',
      runbook: 'filter',
      queries: [[of('vigie_filter_memory_bytes'), '{{instance}}']],
    },
  ],
};

const replay: Row = {
  id: 50,
  title: 'Holder proofs',
  panels: [
    {
      kind: 'graph',
      id: 51,
      title: 'Proofs',
      unit: units.CountsPerSecond,
      min: 0,
      description:
        'By what this gateway knew of them. Seen: shown again, by a client that repeats or by somebody who copied it. Full: raise VIGIE_REPLAY_ENTRIES.',
      runbook: 'replay',
      queries: [[sum(perSecond('vigie_replay_proofs_total'), 'result'), '{{result}}']],
    },
    {
      kind: 'graph',
      id: 52,
      title: 'Proofs asked of Redis',
      unit: units.CountsPerSecond,
      min: 0,
      description:
        'Of those new here. Unreachable: this gateway alone decided and said so; until Redis answers, a proof may pass once at each gateway.',
      runbook: 'replay',
      queries: [[sum(perSecond('vigie_replay_shared_proofs_total'), 'result'), '{{result}}']],
    },
    {
      kind: 'graph',
      id: 53,
      title: 'Time of asking Redis',
      unit: units.Seconds,
      min: 0,
      description:
        'Presentations wait for it, up to VIGIE_REPLAY_TIMEOUT_MS. Beyond the deadline workers leave Redis alone for a while.',
      runbook: 'replay',
      queries: [0.5, 0.99].map(
        (q) => [quantile(q, 'vigie_replay_share_duration_seconds', []), `p${q * 100}`] as const,
      ),
    },
    {
      kind: 'graph',
      id: 54,
      title: 'Room for proofs in use',
      unit: units.PercentUnit,
      min: 0,
      description:
        'At 1 presentations are answered overloaded. From 0.8 on raise VIGIE_REPLAY_ENTRIES or add gateways.',
      runbook: 'replay',
      thresholds: [
        [0, 'green'],
        [0.8, 'orange'],
        [1, 'red'],
      ],
      queries: [[`${of('vigie_replay_entries')} / ${of('vigie_replay_capacity_entries')}`, '{{instance}}']],
    },
    {
      kind: 'graph',
      id: 55,
      title: 'Workers that leave Redis alone',
      unit: units.Short,
      min: 0,
      description: 'Their proofs are known at their gateway alone. They ask again by themselves: see Redis.',
      runbook: 'replay',
      queries: [[of('vigie_replay_cut_off_workers'), '{{instance}}']],
    },
    {
      kind: 'graph',
      id: 56,
      title: 'Failures of the journal of proofs',
      unit: units.Short,
      min: 0,
      description:
        'Within five minutes; tried again by itself. Lasting: the disk of the data directory is full or breaks.',
      runbook: 'replay',
      queries: [
        [sum(`increase(${of('vigie_replay_journal_failures_total')}[5m])`, 'instance'), '{{instance}}'],
      ],
    },
  ],
};

export const revocation: Page = {
  name: 'revocation',
  title: 'revocation',
  description:
    'Revocations from their admission to their enforcement, the shared log, the filter, and holder proofs.',
  rows: [enforcement, log, trust, filter, replay],
};
