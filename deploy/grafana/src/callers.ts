/** What each caller asks for, where gateways ask callers for keys; elsewhere nothing is to be shown. */
import * as units from '@grafana/grafana-foundation-sdk/units';
import type { Row } from './page.ts';
import { perSecond, sum } from './queries.ts';

/** More lines than can be told apart by colour. */
const MOST_SHOWN = 12;

const largest = (expression: string): string => `topk(${MOST_SHOWN}, ${expression})`;

export const callers: Row = {
  id: 60,
  title: 'Callers',
  panels: [
    {
      kind: 'graph',
      id: 61,
      title: 'Credentials by caller',
      unit: units.CountsPerSecond,
      width: 12,
      stacked: true,
      min: 0,
      description:
        'Credentials a second of the twelve callers that ask for most, at all gateways together. A step up of one is a new release of theirs, a loop, or a stolen key.',
      runbook: 'VigieCallerOverQuota',
      queries: [[largest(sum(perSecond('vigie_caller_credentials_total'), 'caller')), '{{caller}}']],
    },
    {
      kind: 'graph',
      id: 62,
      title: 'Calls refused for the caller’s sake',
      unit: units.RequestsPerSecond,
      width: 12,
      min: 0,
      description:
        'Quota: the caller asks for more than was agreed. Unknown or expired: a key that was turned over too soon, or somebody guesses.',
      runbook: 'VigieCallerOverQuota',
      queries: [
        [largest(sum(perSecond('vigie_caller_refused_total', 'why="quota"'), 'caller')), 'quota, {{caller}}'],
        [sum(perSecond('vigie_refused_callers_total', 'why!="quota"'), 'why'), '{{why}}'],
      ],
    },
  ],
};
