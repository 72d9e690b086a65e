/** The first page at night: are callers served, fast and rightly, and on knowledge of what age? */
import * as units from '@grafana/grafana-foundation-sdk/units';
import { callers } from './callers.ts';
import { objectives } from './objectives.ts';
import type { Page, Row } from './page.ts';
import { inRange, of, perSecond, share, sum } from './queries.ts';
import { traffic } from './traffic.ts';

const now: Row = {
  id: 20,
  title: 'Now',
  panels: [
    {
      kind: 'figure',
      id: 21,
      title: 'Gateways ready',
      unit: units.Short,
      description: 'Gateways that may take traffic. Fewer than were deployed: ask /readyz of the others why.',
      runbook: 'VigieGatewayNotReady',
      thresholds: [
        [0, 'red'],
        [1, 'green'],
      ],
      queries: [[sum(of('vigie_ready')), 'ready']],
    },
    {
      kind: 'figure',
      id: 22,
      title: 'Gateways not ready or not scraped',
      unit: units.Short,
      description:
        'Targets of Prometheus without a ready gateway behind them. One may be in an upgrade; else see its log.',
      runbook: 'VigieGatewayDown',
      thresholds: [
        [0, 'green'],
        [1, 'orange'],
        [2, 'red'],
      ],
      queries: [[`count(${of('up')}) - (${sum(of('vigie_ready'))} or vector(0))`, 'missing']],
    },
    {
      kind: 'figure',
      id: 23,
      title: 'Gateways with a sick canary',
      unit: units.Short,
      description:
        'Gateways with a worker that answers the canary wrongly or too late. They take no traffic; keep one for examination and replace it.',
      runbook: 'VigieCanaryFailed',
      thresholds: [
        [0, 'green'],
        [1, 'red'],
      ],
      queries: [
        [
          `count(${of('vigie_ready')}) - (${sum(of('vigie_canary_healthy'))} or count(${of('vigie_ready')}))`,
          'sick',
        ],
      ],
    },
    {
      kind: 'figure',
      id: 24,
      title: 'Credentials verified',
      unit: units.CountsPerSecond,
      description:
        'Verdicts a second, of single calls and batches together. None at all in opening hours: look at the load balancer first.',
      runbook: 'VigieInvalidRatioSpike',
      queries: [[sum(perSecond('vigie_verdicts_total')), 'verdicts']],
    },
    {
      kind: 'figure',
      id: 25,
      title: 'Oldest revocation knowledge',
      unit: units.Seconds,
      decimals: 1,
      description:
        'Of the chosen gateways, the oldest knowledge. Beyond 5 s answers say stale: see the state towards the log.',
      runbook: 'VigieRevocationStale',
      thresholds: [
        [0, 'green'],
        [2.5, 'orange'],
        [5, 'red'],
      ],
      queries: [[`max(${of('vigie_revocation_age_seconds')})`, 'age']],
    },
    {
      kind: 'figure',
      id: 26,
      title: 'Failures inside the gateway',
      unit: units.Short,
      description:
        'Calls answered 500 within the time shown. Each has left a line in the log: report it as a defect.',
      runbook: 'VigieUnexpectedErrors',
      thresholds: [
        [0, 'green'],
        [1, 'red'],
      ],
      decimals: 0,
      queries: [[sum(inRange('vigie_unexpected_errors_total')), 'failures']],
    },
  ],
};

const verdicts: Row = {
  id: 40,
  title: 'Verdicts',
  panels: [
    {
      kind: 'graph',
      id: 41,
      title: 'Verdicts',
      unit: units.CountsPerSecond,
      stacked: true,
      min: 0,
      description:
        'Credentials a second by verdict. Indeterminate means that Vigie could not tell: revocations or keys too old, or overload.',
      runbook: 'VigieInvalidRatioSpike',
      queries: [[sum(perSecond('vigie_verdicts_total'), 'verdict'), '{{verdict}}']],
    },
    {
      kind: 'graph',
      id: 42,
      title: 'Reasons other than ok',
      unit: units.CountsPerSecond,
      stacked: true,
      min: 0,
      description:
        'Credentials a second by reason. Many unknown_key: an issuer has a new key and the trust list has not. Many expired: phones do not refresh. Many bad_signature or replayed: somebody tries.',
      runbook: 'VigieInvalidRatioSpike',
      queries: [[sum(perSecond('vigie_verdicts_total', 'reason!="ok"'), 'reason'), '{{reason}}']],
    },
    {
      kind: 'graph',
      id: 43,
      title: 'Share of verdicts that are not valid',
      unit: units.PercentUnit,
      min: 0,
      description:
        'A step up on all gateways at once is a change at an issuer or in the trust list; on one gateway alone take it out of service.',
      runbook: 'VigieCannotTell',
      queries: [
        [
          share(
            sum(perSecond('vigie_verdicts_total', 'verdict="invalid"'), 'instance'),
            sum(perSecond('vigie_verdicts_total'), 'instance'),
          ),
          'invalid, {{instance}}',
        ],
        [
          share(
            sum(perSecond('vigie_verdicts_total', 'verdict="indeterminate"'), 'instance'),
            sum(perSecond('vigie_verdicts_total'), 'instance'),
          ),
          'indeterminate, {{instance}}',
        ],
      ],
    },
  ],
};

const freshness: Row = {
  id: 50,
  title: 'Freshness',
  panels: [
    {
      kind: 'graph',
      id: 51,
      title: 'Age of revocation knowledge',
      unit: units.Seconds,
      min: 0,
      description:
        'By gateway. Beyond 5 s answers say stale and mass changes are slow to take effect: see Redis and the state towards the log.',
      runbook: 'VigieRevocationStale',
      thresholds: [
        [0, 'green'],
        [5, 'red'],
      ],
      queries: [[of('vigie_revocation_age_seconds'), '{{instance}}']],
    },
    {
      kind: 'graph',
      id: 52,
      title: 'Age of the trust list',
      unit: units.Seconds,
      min: 0,
      description:
        'Since its source last confirmed it; a saw-tooth of the refresh time is normal. When it only rises, see the loads beside; beyond the age limit every answer is keys_stale.',
      runbook: 'VigieTrustListOld',
      queries: [[of('vigie_trust_list_age_seconds'), '{{instance}}']],
    },
    {
      kind: 'graph',
      id: 53,
      title: 'Loads of the trust list',
      unit: units.Short,
      min: 0,
      decimals: 0,
      description:
        'Loads within a quarter of an hour by outcome. Anything but new and unchanged is a list refused or out of reach, and the last good one is in force.',
      runbook: 'VigieTrustListRefused',
      queries: [[sum(`increase(${of('vigie_trust_list_loads_total')}[15m])`, 'outcome'), '{{outcome}}']],
    },
  ],
};

export const overview: Page = {
  name: 'overview',
  title: 'overview',
  description: 'Service levels, calls, verdicts and freshness of all gateways.',
  rows: [objectives, now, traffic, callers, verdicts, freshness],
};
