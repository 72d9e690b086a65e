/**
 * The runbook's capacity table, reckoned from the same stored results as the README's figures, so that the two cannot
 * differ. `npm run docs` writes it; test/deploy/runbook.test.ts fails when it is another.
 */
import { conditionsOf, markdownTable } from '../../bench/src/report/markdown.ts';
import { label } from '../../bench/src/report/scale.ts';
import {
  numberOf,
  readStoredReports,
  type StoredReport,
  type StoredRow,
} from '../../bench/src/report/stored-results.ts';
import { filled, LATEST_RESULTS } from './readme-tables.ts';

export const RUNBOOK = new URL('../../deploy/RUNBOOK.md', import.meta.url);

/** Share of its rate that a core is planned for: one zone of three may be lost, and the rest still serves. */
const PLANNED_SHARE = 0.6;
const PEAK_PER_SECOND = 100_000;

export function withCapacity(runbook: string): string {
  const http = readStoredReports(LATEST_RESULTS).get('http');
  return filled(runbook, 'the runbook', { capacity: capacityTable(http) });
}

/** Only from a run in which every answer was right. */
export function capacityTable(http: StoredReport | undefined): string {
  if (http === undefined || http.failed)
    return 'There is no stored result to plan by: run `npm run bench -- http`.';
  const lines = http.rows.filter(({ target }) => target === 'gateway').flatMap(capacityOf);
  const head = ['a core of a gateway', 'a second', 'planned, at 60 %', 'cores for 100,000 a second'];
  return `${markdownTable(head, lines)}\n\n${conditionsOf(http)}.`;
}

function capacityOf(row: StoredRow): string[][] {
  const perSecond = numberOf(row, 'credentialsPerSecond');
  if (perSecond === undefined) return [];
  const planned = perSecond * PLANNED_SHARE;
  const batch = numberOf(row, 'batch') ?? 0;
  const answer = row.answer === 'bytes' ? 'a byte for each' : 'JSON';
  const what =
    row.request === 'batch'
      ? `credentials in batches of ${label(batch)}, ${answer}`
      : `single calls on ${label(numberOf(row, 'connections') ?? 0)} connections, ${answer}`;
  return [[what, label(perSecond), label(planned), (PEAK_PER_SECOND / planned).toFixed(1)]];
}
