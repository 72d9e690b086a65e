/** Redis as the gateways see it: the log's state, its healing, and what was refused of it. */
import * as units from '@grafana/grafana-foundation-sdk/units';
import type { Row } from './page.ts';
import { inRange, of, perSecond, quantile, sum } from './queries.ts';

const ON_EVENT = [
  [0, 'green'],
  [1, 'red'],
] as const;
const ON_WORK = [
  [0, 'green'],
  [1, 'orange'],
] as const;

export const log: Row = {
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
      runbook: 'VigieLogNotWhole',
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
      runbook: 'VigieRedisUnreachable',
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
      runbook: 'VigieRedisUnreachable',
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
      runbook: 'VigieLogLost',
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
      runbook: 'VigieLogNotWhole',
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
      runbook: 'VigieRedisUnreachable',
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
      runbook: 'VigieLogEntriesRestored',
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
      runbook: 'VigieOwnCopyFails',
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
      runbook: 'VigieLogHeld',
      thresholds: ON_WORK,
      queries: [[sum(of('vigie_revocation_holding')), 'holding']],
    },
  ],
};

export const trust: Row = {
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
      runbook: 'VigieForgedEntriesRefused',
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
      runbook: 'VigieFilterSnapshotOld',
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
