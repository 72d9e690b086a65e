/** The first page at night: are callers served, fast and rightly, and on knowledge of what age? */
import * as units from '@grafana/grafana-foundation-sdk/units';
import type { Page, Row } from './page.ts';
import { inRange, of, perSecond, quantile, SERVER_ERRORS, share, sum, VERIFY_ROUTES } from './queries.ts';

/** Recorded for all gateways of the job together, whichever are chosen: the alerts go by the same figures. */
const recorded = (name: string): string => `${name}{job="$job"}`;
/** What is left of the errors that the objective allows in 30 days: 1 at first, below 0 when they are used up. */
const budgetLeft = (name: string, objective: number): string =>
  `1 - (1 - ${recorded(`${name}_30d`)}) / ${allowed(objective)}`;
/** How many times as fast as they may be the errors come: at 1 the budget lasts 30 days, at 14.4 for two. */
const burn = (name: string, window: string, objective: number): string =>
  `(1 - ${recorded(`${name}_${window}`)}) / ${allowed(objective)}`;
const allowed = (objective: number): string => (1 - objective).toFixed(4);

const AVAILABLE = 'vigie:single_calls:availability_ratio';
const FAST = 'vigie:single_calls:fast_ratio';
const ENFORCED = 'vigie:revocations:enforced_ratio';

const BUDGET_COLOURS = [
  [0, 'red'],
  [0.1, 'orange'],
  [0.5, 'green'],
] as const;

const objectives: Row = {
  id: 10,
  title: 'Service levels: 30 days, all gateways of the job',
  panels: [
    {
      kind: 'figure',
      id: 11,
      title: 'Availability (99.95 %)',
      unit: units.PercentUnit,
      decimals: 3,
      description:
        "Single calls not answered 5xx, of those that were not the caller's fault. Below the objective no upgrade is begun until the cause is known: see errors and shedding below.",
      runbook: 'availability',
      thresholds: [
        [0, 'red'],
        [0.9995, 'green'],
      ],
      queries: [[recorded(`${AVAILABLE}_30d`), 'available']],
    },
    {
      kind: 'figure',
      id: 12,
      title: 'Availability budget left',
      unit: units.PercentUnit,
      decimals: 1,
      description:
        'Share of the errors allowed in 30 days that is still left. At 0 the objective is missed: look for what burns it in the burn rate beside.',
      runbook: 'availability',
      thresholds: BUDGET_COLOURS,
      queries: [[budgetLeft(AVAILABLE, 0.9995), 'left']],
    },
    {
      kind: 'figure',
      id: 13,
      title: 'Within 10 ms (99 %)',
      unit: units.PercentUnit,
      decimals: 2,
      description:
        'Single calls answered within 10 ms. Below the objective see the queue delay and the utilisation on the capacity page.',
      runbook: 'latency',
      thresholds: [
        [0, 'red'],
        [0.99, 'green'],
      ],
      queries: [[recorded(`${FAST}_30d`), 'fast']],
    },
    {
      kind: 'figure',
      id: 14,
      title: 'Latency budget left',
      unit: units.PercentUnit,
      decimals: 1,
      description:
        'Share of the slow calls allowed in 30 days that is still left. When it falls, add gateways before it is used up.',
      runbook: 'latency',
      thresholds: BUDGET_COLOURS,
      queries: [[budgetLeft(FAST, 0.99), 'left']],
    },
    {
      kind: 'figure',
      id: 15,
      title: 'Enforced within 5 s (99.9 %)',
      unit: units.PercentUnit,
      decimals: 2,
      description:
        'Status changes that every worker of a gateway enforced within 5 s. Below the objective see lag and the calls to Redis on the revocation page.',
      runbook: 'enforcement',
      thresholds: [
        [0, 'red'],
        [0.999, 'green'],
      ],
      queries: [[recorded(`${ENFORCED}_30d`), 'enforced']],
    },
    {
      kind: 'figure',
      id: 16,
      title: 'Alerts firing',
      unit: units.Short,
      description:
        "Alerts of this job that fire now; 0 also where Prometheus has no alerts loaded. Open the alert's own runbook section.",
      runbook: 'availability',
      thresholds: [
        [0, 'green'],
        [1, 'red'],
      ],
      // No alert firing is no series at all.
      queries: [['count(ALERTS{job="$job", alertstate="firing"}) or vector(0)', 'firing']],
    },
    {
      kind: 'graph',
      id: 17,
      title: 'Burn rate of the error budgets',
      unit: units.Short,
      width: 24,
      min: 0,
      description:
        'How many times as fast as allowed the budgets are used. Above 14.4 over an hour somebody is woken; above 1 for days the objective will be missed.',
      runbook: 'availability',
      queries: [
        [burn(AVAILABLE, '1h', 0.9995), 'availability, 1 h'],
        [burn(AVAILABLE, '6h', 0.9995), 'availability, 6 h'],
        [burn(FAST, '1h', 0.99), 'latency, 1 h'],
        [burn(ENFORCED, '1h', 0.999), 'enforcement, 1 h'],
      ],
    },
  ],
};

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
      runbook: 'not-ready',
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
      runbook: 'not-ready',
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
      runbook: 'canary',
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
      runbook: 'verdicts',
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
      runbook: 'revocation-stale',
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
      runbook: 'availability',
      thresholds: [
        [0, 'green'],
        [1, 'red'],
      ],
      decimals: 0,
      queries: [[sum(inRange('vigie_unexpected_errors_total')), 'failures']],
    },
  ],
};

const traffic: Row = {
  id: 30,
  title: 'Rate, errors, duration',
  panels: [
    {
      kind: 'graph',
      id: 31,
      title: 'Calls',
      unit: units.RequestsPerSecond,
      min: 0,
      description:
        'Single and batch calls a second. A sudden fall on all gateways is a matter of the network or of callers.',
      runbook: 'verdicts',
      queries: [[sum(perSecond('vigie_requests_total', VERIFY_ROUTES), 'route'), '{{route}}']],
    },
    {
      kind: 'graph',
      id: 32,
      title: 'Answers other than 200',
      unit: units.PercentUnit,
      min: 0,
      description:
        'Share of calls by kind. 5xx: shed or failed, see the capacity page. 4xx: a caller sends what cannot be read; find it in the log and tell it. Left: callers gave up before the answer.',
      runbook: 'availability',
      queries: [
        [
          share(
            sum(perSecond('vigie_requests_total', VERIFY_ROUTES, SERVER_ERRORS)),
            sum(perSecond('vigie_requests_total', VERIFY_ROUTES)),
          ),
          '5xx',
        ],
        [
          share(
            sum(perSecond('vigie_requests_total', VERIFY_ROUTES, 'status=~"4.."')),
            sum(perSecond('vigie_requests_total', VERIFY_ROUTES)),
          ),
          '4xx',
        ],
        [
          share(
            sum(perSecond('vigie_requests_aborted_total', VERIFY_ROUTES)),
            sum(perSecond('vigie_requests_total', VERIFY_ROUTES)),
          ),
          'left',
        ],
      ],
    },
    {
      kind: 'graph',
      id: 33,
      title: 'Calls under way',
      unit: units.Short,
      min: 0,
      description:
        'Requests read and not yet answered. It rises when something is waited for: Redis, a long queue, slow clients.',
      runbook: 'latency',
      queries: [[sum(of('vigie_requests_in_flight'), 'instance'), '{{instance}}']],
    },
    {
      kind: 'graph',
      id: 34,
      title: 'Duration of single calls',
      unit: units.Seconds,
      width: 12,
      min: 0,
      description:
        'From the head of a request to its answer. The objective is 99 % within 10 ms: above it see queue delay and utilisation on the capacity page.',
      runbook: 'latency',
      thresholds: [
        [0, 'green'],
        [0.01, 'red'],
      ],
      queries: [0.5, 0.99, 0.999].map(
        (q) => [quantile(q, 'vigie_request_duration_seconds', [], 'route="verify"'), `p${q * 100}`] as const,
      ),
    },
    {
      kind: 'graph',
      id: 35,
      title: 'Duration of batch calls',
      unit: units.Seconds,
      width: 12,
      min: 0,
      description:
        'With the time in which the client sends the batch. Batches give way to single calls: long ones alone are no alarm.',
      runbook: 'latency',
      queries: [0.5, 0.99].map(
        (q) =>
          [quantile(q, 'vigie_request_duration_seconds', [], 'route="verify_batch"'), `p${q * 100}`] as const,
      ),
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
      runbook: 'verdicts',
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
      runbook: 'verdicts',
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
      runbook: 'verdicts',
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
      runbook: 'revocation-stale',
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
      runbook: 'trust-list',
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
      runbook: 'trust-list',
      queries: [[sum(`increase(${of('vigie_trust_list_loads_total')}[15m])`, 'outcome'), '{{outcome}}']],
    },
  ],
};

export const overview: Page = {
  name: 'overview',
  title: 'overview',
  description: 'Service levels, calls, verdicts and freshness of all gateways.',
  rows: [objectives, now, traffic, verdicts, freshness],
};
