/** Revocations from their admission to their enforcement, and what happens to their shared log. */
import * as units from '@grafana/grafana-foundation-sdk/units';
import { filter } from './filter.ts';
import type { Page, Row } from './page.ts';
import { replay } from './proofs.ts';
import { of, quantile, sum } from './queries.ts';
import { log, trust } from './shared-log.ts';

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
      runbook: 'VigieEnforcementBurnsFast',
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
      runbook: 'VigieRevocationStale',
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
      runbook: 'VigieRevocationStale',
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
      runbook: 'VigieStatusChangesFail',
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
      runbook: 'VigieRevokedRatioSpike',
      queries: [[`max by (status) (${of('vigie_revocation_entries')})`, '{{status}}']],
    },
    {
      kind: 'graph',
      id: 16,
      title: 'Last change enforced',
      unit: units.Short,
      description:
        'The number of the last change, by gateway. Lines that part: the lower one lags. A number that falls: a new life of the log, see healing.',
      runbook: 'VigieRevocationStale',
      queries: [[of('vigie_revocation_seq'), '{{instance}}']],
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
