/** Holder proofs: shown once, and known to all gateways. */
import * as units from '@grafana/grafana-foundation-sdk/units';
import type { Row } from './page.ts';
import { of, perSecond, quantile, sum } from './queries.ts';

export const replay: Row = {
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
      runbook: 'VigieReplayGuardLocal',
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
      runbook: 'VigieReplayGuardLocal',
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
      runbook: 'VigieReplayGuardLocal',
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
      runbook: 'VigieReplayGuardNearlyFull',
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
      runbook: 'VigieReplayGuardLocal',
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
      runbook: 'VigieReplayJournalFails',
      queries: [
        [sum(`increase(${of('vigie_replay_journal_failures_total')}[5m])`, 'instance'), '{{instance}}'],
      ],
    },
  ],
};
