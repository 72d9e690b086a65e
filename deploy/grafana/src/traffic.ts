/** Rate, errors and duration of the calls that pharmacies wait for. */
import * as units from '@grafana/grafana-foundation-sdk/units';
import type { Row } from './page.ts';
import { of, perSecond, quantile, SERVER_ERRORS, share, sum, VERIFY_ROUTES } from './queries.ts';

export const traffic: Row = {
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
      runbook: 'VigieInvalidRatioSpike',
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
      runbook: 'VigieAvailabilityBurnsFast',
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
      runbook: 'VigieLatencyBurnsFast',
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
      runbook: 'VigieLatencyBurnsFast',
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
      runbook: 'VigieLatencyBurnsFast',
      queries: [0.5, 0.99].map(
        (q) =>
          [quantile(q, 'vigie_request_duration_seconds', [], 'route="verify_batch"'), `p${q * 100}`] as const,
      ),
    },
  ],
};
