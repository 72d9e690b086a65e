import { expect, it } from 'vitest';
import { summaryLines } from '../../src/cli/summary-lines.ts';

it('shows every member, in the unit of its name, those of a kind together', () => {
  const lines = summaryLines({
    seq: 1_234_567,
    epoch: '0a',
    filter: { fill: 0.0123, currentFalsePositiveRate: 1.24e-7, memoryBytes: 35_944_064, leftOutBefore: null },
    freshness: { state: 'fresh', ageMs: 1_008 },
    replication: { holding: false, refused: { record: 2 } },
    fromANewerRelease: ['x'],
  });
  expect(lines).toEqual([
    'seq                              1,234,567',
    'epoch                            0a',
    '',
    'filter.fill                      1.23 %',
    'filter.currentFalsePositiveRate  1.2e-7',
    'filter.memoryBytes               35.9 MB',
    'filter.leftOutBefore             none',
    '',
    'freshness.state                  fresh',
    'freshness.ageMs                  1,008 ms',
    '',
    'replication.holding              no',
    'replication.refused.record       2',
    '',
    'fromANewerRelease.0              x',
  ]);
});
