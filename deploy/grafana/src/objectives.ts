/** The service level objectives and what is left of their error budgets. */
import * as units from '@grafana/grafana-foundation-sdk/units';
import type { Row } from './page.ts';

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

export const objectives: Row = {
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
      runbook: 'VigieAvailabilityBurnsFast',
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
      runbook: 'VigieAvailabilityBurnsFast',
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
      runbook: 'VigieLatencyBurnsFast',
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
      runbook: 'VigieLatencyBurnsFast',
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
      runbook: 'VigieEnforcementBurnsFast',
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
      runbook: 'VigieAvailabilityBurnsFast',
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
      runbook: 'VigieAvailabilityBurnsFast',
      queries: [
        [burn(AVAILABLE, '1h', 0.9995), 'availability, 1 h'],
        [burn(AVAILABLE, '6h', 0.9995), 'availability, 6 h'],
        [burn(FAST, '1h', 0.99), 'latency, 1 h'],
        [burn(ENFORCED, '1h', 0.999), 'enforcement, 1 h'],
      ],
    },
  ],
};
