/** The revocation filter: how full it is, and how often good cards need the exact check. */
import * as units from '@grafana/grafana-foundation-sdk/units';
import type { Row } from './page.ts';
import { of, perSecond, sum } from './queries.ts';

export const filter: Row = {
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
      runbook: 'VigieFilterFull',
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
      runbook: 'VigieFilterFull',
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
      runbook: 'VigieFilterFalsePositives',
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
      runbook: 'VigieOwnCopyFails',
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
      runbook: 'VigieFilterFull',
      queries: [[of('vigie_filter_memory_bytes'), '{{instance}}']],
    },
  ],
};
