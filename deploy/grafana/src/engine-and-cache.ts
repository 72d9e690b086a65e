/** Who computes signatures, whether it is right, and what the prepared keys save. */
import * as units from '@grafana/grafana-foundation-sdk/units';
import type { Page, Row } from './page.ts';
import { inRange, of, perSecond, quantile, share, sum } from './queries.ts';

const engine: Row = {
  id: 10,
  title: 'Engine',
  panels: [
    {
      kind: 'figure',
      id: 11,
      title: 'Threads by engine in force',
      unit: units.Short,
      width: 8,
      description:
        'Threads by the engine and kernel that judge in them now. A thread on openssl where native was chosen has stepped down: see disagreements.',
      runbook: 'VigieEngineNotNative',
      queries: [[`count by (engine, kernel) (${of('vigie_engine_in_force_info')})`, '{{engine}} {{kernel}}']],
    },
    {
      kind: 'figure',
      id: 12,
      title: 'Gateways by engine chosen',
      unit: units.Short,
      width: 8,
      description:
        'As chosen at start, after its self-test. Gateways of one kind of machine that differ were built or set differently.',
      runbook: 'VigieEngineNotNative',
      queries: [[`count by (implementation) (${of('vigie_engine_info')})`, '{{implementation}}']],
    },
    {
      kind: 'figure',
      id: 13,
      title: 'Disagreements',
      unit: units.Short,
      decimals: 0,
      description:
        'Calls within the time shown in which node:crypto judged otherwise than the native engine. One is one too many: keep the log, set VIGIE_ENGINE=openssl everywhere, report it.',
      runbook: 'VigieEnginesDisagree',
      thresholds: [
        [0, 'green'],
        [1, 'red'],
      ],
      queries: [[sum(inRange('vigie_engine_disagreements_total')), 'disagreements']],
    },
    {
      kind: 'figure',
      id: 14,
      title: 'Gateways by version',
      unit: units.Short,
      description: 'More than one version is an upgrade under way, or one that was left half done.',
      runbook: 'VigieEnginesDisagree',
      queries: [[`count by (version, node) (${of('vigie_build_info')})`, '{{version}}, Node {{node}}']],
    },
    {
      kind: 'graph',
      id: 15,
      title: 'Cross-checks',
      unit: units.CountsPerSecond,
      min: 0,
      description:
        'Verdicts of the native engine that node:crypto judged again. None under load: VIGIE_CROSS_CHECK_ONE_IN is 0, or the engine has stepped down.',
      runbook: 'VigieEnginesDisagree',
      queries: [[sum(perSecond('vigie_engine_cross_checks_total'), 'why'), '{{why}}']],
    },
    {
      kind: 'graph',
      id: 16,
      title: 'Credentials verified',
      unit: units.CountsPerSecond,
      min: 0,
      description:
        'By gateway. One that does much less than its neighbours has fewer connections, a slower engine, or is not ready.',
      runbook: 'VigieNearCapacity',
      queries: [[sum(perSecond('vigie_verdicts_total'), 'instance'), '{{instance}}']],
    },
    {
      kind: 'graph',
      id: 17,
      title: 'Credentials in a batch call',
      unit: units.Short,
      min: 0,
      description:
        'Engines like company: callers that send many small batches cost more a credential. Nothing to do at night.',
      runbook: 'VigieNearCapacity',
      queries: [0.5, 0.9].map((q) => [quantile(q, 'vigie_batch_items', []), `p${q * 100}`] as const),
    },
  ],
};

const canary: Row = {
  id: 20,
  title: 'Canary',
  panels: [
    {
      kind: 'figure',
      id: 21,
      title: 'Canary',
      unit: units.BoolYesNo,
      width: 8,
      description:
        'Whether every worker answers the canary rightly and in time. No: the gateway is out of traffic; examine it before it is restarted. Absent: VIGIE_CANARY is off.',
      runbook: 'VigieCanaryFailed',
      thresholds: [
        [0, 'red'],
        [1, 'green'],
      ],
      queries: [[of('vigie_canary_healthy'), '{{instance}}']],
    },
    {
      kind: 'graph',
      id: 22,
      title: 'Rounds by result',
      unit: units.CountsPerSecond,
      min: 0,
      description:
        'Unarmed: right, but the known-revoked card could not be asked for yet, because the log was out of reach since the start. Wrong: a false verdict, treat it as an incident. Late: a worker hangs or is overloaded.',
      runbook: 'VigieCanaryUnarmed',
      queries: [[sum(perSecond('vigie_canary_runs_total'), 'result'), '{{result}}']],
    },
    {
      kind: 'graph',
      id: 23,
      title: 'Duration of a round',
      unit: units.Seconds,
      min: 0,
      description:
        'Its wait for the event loop included: it rises with the load before single calls become slow.',
      runbook: 'VigieCanaryFailed',
      queries: [0.5, 0.99].map(
        (q) => [quantile(q, 'vigie_canary_duration_seconds', []), `p${q * 100}`] as const,
      ),
    },
  ],
};

const hits = perSecond('vigie_key_cache_requests_total', 'result="hit"');
const lookUps = perSecond('vigie_key_cache_requests_total');

const keyCache: Row = {
  id: 30,
  title: 'Prepared keys',
  panels: [
    {
      kind: 'graph',
      id: 31,
      title: 'Hit ratio',
      unit: units.PercentUnit,
      min: 0,
      max: 1,
      description:
        'Look-ups that found the key prepared. Low after a start or a rotation for minutes; low for hours: more keys in use than VIGIE_KEY_CACHE_BYTES holds.',
      runbook: 'VigieNearCapacity',
      queries: [[share(sum(hits, 'instance'), sum(lookUps, 'instance')), '{{instance}}']],
    },
    {
      kind: 'graph',
      id: 32,
      title: 'Look-ups',
      unit: units.CountsPerSecond,
      stacked: true,
      min: 0,
      description:
        'Misses are prepared on the spot and cost a slower verification. Many misses with bad_signature or unknown_key beside them: somebody sends made-up keys.',
      runbook: 'VigieInvalidRatioSpike',
      queries: [[sum(lookUps, 'result'), '{{result}}']],
    },
    {
      kind: 'graph',
      id: 33,
      title: 'Keys that left for room',
      unit: units.CountsPerSecond,
      min: 0,
      description: 'Steady evictions: raise VIGIE_KEY_CACHE_BYTES if the machine has the memory.',
      runbook: 'VigieNearCapacity',
      queries: [[sum(perSecond('vigie_key_cache_evictions_total'), 'instance'), '{{instance}}']],
    },
    {
      kind: 'graph',
      id: 34,
      title: 'Keys held',
      unit: units.Short,
      width: 12,
      min: 0,
      description:
        'Prepared keys, those of the canary with them. It grows with the issuers seen, not with the trust list.',
      runbook: 'VigieNearCapacity',
      queries: [[of('vigie_key_cache_keys'), '{{instance}}']],
    },
    {
      kind: 'graph',
      id: 35,
      title: 'Memory of prepared keys',
      unit: units.BytesIEC,
      width: 12,
      min: 0,
      description:
        'Bounded by VIGIE_KEY_CACHE_BYTES: of the process with the native engine, else of each worker. At the bound see evictions.',
      runbook: 'VigieNearCapacity',
      queries: [[of('vigie_key_cache_bytes'), '{{instance}}']],
    },
  ],
};

export const engineAndCache: Page = {
  name: 'engine-and-cache',
  title: 'engine and cache',
  description: 'Who computes signatures, whether it is right, and what the prepared keys save.',
  rows: [engine, canary, keyCache],
};
