/** Where panels send whoever sees something wrong: sections of deploy/RUNBOOK.md. */

/** Where the runbook is published; a deployment with a copy of its own says so here and runs `npm run dashboards`. */
const RUNBOOK_URL = 'https://vigie.example/runbook';

/** Headings of the runbook, as they stand in an address. */
export type RunbookSection =
  | 'availability'
  | 'latency'
  | 'enforcement'
  | 'not-ready'
  | 'verdicts'
  | 'revocation-stale'
  | 'trust-list'
  | 'engine'
  | 'canary'
  | 'filter'
  | 'redis'
  | 'forged'
  | 'workers'
  | 'shedding'
  | 'capacity'
  | 'replay';

export function runbookUrl(section: RunbookSection): string {
  return `${RUNBOOK_URL}#${section}`;
}
