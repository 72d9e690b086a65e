/** The metrics by name, unit and label (Prometheus conventions), built from the counters at each scrape. */
import { collectDefaultMetrics, Registry } from 'prom-client';
import { REASONS } from '../verdict.ts';
import { type AuditFacts, auditMetrics } from './audit-metrics.ts';
import { type CallerFacts, callerMetrics } from './caller-metrics.ts';
import { type CanaryFacts, canaryMetrics } from './canary-metrics.ts';
import {
  BATCH_BUCKETS,
  type Counters,
  CROSS_CHECK_REASONS,
  FILTER_RESULTS,
  type HistogramView,
  LATENCY_BUCKETS,
  ROUTES,
  type RouteName,
  STATUSES,
} from './counters.ts';
import { DELAY_BUCKETS } from './delays.ts';
import { createMeasuredRate } from './measured-rate.ts';
import { counter, gauge, histogram, type Sample } from './metric-kinds.ts';
import { mergeViews, sumOver } from './over-threads.ts';
import { overloadMetrics } from './overload-metrics.ts';
import { type ReplayFacts, replayMetrics } from './replay-metrics.ts';
import { type ReplicationFacts, replicationMetrics } from './replication-metrics.ts';
import { type TlsFacts, tlsMetrics } from './tls-metrics.ts';
import { type WorkerFacts, workerMetrics } from './worker-metrics.ts';

/** What the main thread knows; read at each scrape. */
export interface GatewayFacts {
  readonly version: string;
  readonly engine: { readonly requested: string; readonly name: string; readonly implementation: string };
  /** Name of the signature rule that every engine follows. */
  readonly acceptanceRule: string;
  workers(): WorkerFacts;
  unreadyReasons(): readonly string[];
  trustList(): {
    readonly version: number | undefined;
    readonly ageSeconds: number | undefined;
    readonly maxAgeSeconds: number;
    readonly issuers: number;
    readonly keys: number;
    readonly retiredKeys: number;
    /** Loads so far by outcome: `new`, `unchanged`, or why refused. */
    readonly loads: Readonly<Record<string, number>>;
  };
  revocation(): {
    readonly seq: number;
    readonly ageSeconds: number;
    readonly maxAgeSeconds: number;
    /** `undefined` while the store cannot be read. */
    readonly entries: Readonly<Record<'revoked' | 'suspended' | 'superseded', number>> | undefined;
    readonly changes: Readonly<Record<string, number>>;
    /** From a change's call to its enforcement by every worker. */
    readonly enforcement: HistogramView;
  };
  /** `undefined` where the store is this gateway's alone. */
  replication(): ReplicationFacts | undefined;
  /** `undefined` where it is off. */
  canary(): CanaryFacts | undefined;
  replay(): ReplayFacts;
  readonly callers: CallerFacts;
  /** `undefined` without TLS. */
  readonly tls: TlsFacts | undefined;
  audit(): AuditFacts;
  filter(): {
    readonly capacity: number;
    readonly entries: number;
    readonly fillRatio: number;
    readonly memoryBytes: number;
    /** Another one whenever the filter is replaced. */
    readonly inForce: object;
    readonly targetRate: number;
    readonly expectedRate: number;
  };
}

/** A rate misses what a series begins with: these count failures, or are what failures are a share of. */
const ALWAYS_SHOWN: readonly { readonly route: RouteName; readonly statuses: readonly number[] }[] = [
  { route: 'verify', statuses: [200, 500, 503] },
  { route: 'verify_batch', statuses: [200, 500, 503] },
];

/** All counters there are: one slab for each worker, and the main thread's own. */
export function buildRegistry(facts: GatewayFacts, slabs: () => readonly Counters[]): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'vigie_' });
  // Gauges that call themselves totals; the same figures stand by kind beside them.
  for (const kind of ['handles', 'requests', 'resources']) {
    registry.removeSingleMetric(`vigie_nodejs_active_${kind}_total`);
  }
  trafficMetrics(registry, slabs);
  overloadMetrics(registry, slabs);
  cacheMetrics(registry, slabs, facts);
  engineMetrics(registry, slabs);
  workerMetrics(registry, slabs, facts);
  stateMetrics(registry, facts);
  replicationMetrics(registry, facts.replication);
  canaryMetrics(registry, facts.canary);
  replayMetrics(registry, slabs, facts.replay);
  callerMetrics(registry, slabs, facts.callers);
  tlsMetrics(registry, facts.tls);
  auditMetrics(registry, slabs, facts.audit);
  return registry;
}

function trafficMetrics(registry: Registry, slabs: () => readonly Counters[]): void {
  counter(
    registry,
    'vigie_requests_total',
    'Requests answered, by route and status code.',
    ['route', 'status'],
    () =>
      ROUTES.flatMap((route) => {
        const shown = ALWAYS_SHOWN.find((always) => always.route === route)?.statuses ?? [];
        return STATUSES.filter((status) => status !== 0).flatMap((status): Sample[] => {
          const count = sumOver(slabs(), (slab) => slab.requests(route, status));
          return count > 0 || shown.includes(status) ? [[{ route, status: `${status}` }, count]] : [];
        });
      }),
  );
  counter(
    registry,
    'vigie_requests_aborted_total',
    'Requests whose client went away before the answer, by route.',
    ['route'],
    () => ROUTES.map((route): Sample => [{ route }, sumOver(slabs(), (slab) => slab.requests(route, 0))]),
  );
  gauge(registry, 'vigie_requests_in_flight', 'Requests read and not yet answered.', [], () => [
    [{}, sumOver(slabs(), (slab) => slab.inFlight())],
  ]);
  histogram(
    registry,
    'vigie_request_duration_seconds',
    'Time from the head of a request to its answer, by route.',
    LATENCY_BUCKETS,
    () =>
      ROUTES.map((route) => [{ route }, mergeViews(slabs().map((slab) => slab.latencies(route)))] as const),
  );
  counter(
    registry,
    'vigie_verdicts_total',
    'Verdicts reached, by reason and verdict; also of batches refused or left later on, and once more what changed before the answer.',
    ['reason', 'verdict'],
    () =>
      REASONS.map(
        ({ code, reason, verdict }): Sample => [
          { reason, verdict },
          sumOver(slabs(), (slab) => slab.verdicts(code)),
        ],
      ),
  );
  histogram(registry, 'vigie_batch_items', 'Credentials in a batch call.', BATCH_BUCKETS, () => [
    [{}, mergeViews(slabs().map((slab) => slab.batches()))] as const,
  ]);
  counter(
    registry,
    'vigie_unexpected_errors_total',
    'Requests that failed inside the gateway (status 500).',
    [],
    () => [[{}, sumOver(slabs(), (slab) => slab.unexpectedErrors())]],
  );
}

function cacheMetrics(registry: Registry, slabs: () => readonly Counters[], facts: GatewayFacts): void {
  counter(
    registry,
    'vigie_filter_checks_total',
    'Revocation filter look-ups; all but negative ones were confirmed exactly.',
    ['result'],
    () =>
      FILTER_RESULTS.map(
        (result): Sample => [{ result }, sumOver(slabs(), (slab) => slab.filterChecks(result))],
      ),
  );
  const measuredRate = createMeasuredRate(slabs, () => facts.filter().inForce);
  gauge(
    registry,
    'vigie_filter_false_positive_ratio',
    'False positives among cards without an entry: configured, expected at this fill, and measured since the filter ' +
      'in force was first seen here.',
    ['kind'],
    () => {
      const { targetRate, expectedRate } = facts.filter();
      return [
        [{ kind: 'target' }, targetRate],
        [{ kind: 'expected' }, expectedRate],
        [{ kind: 'measured' }, measuredRate()],
      ];
    },
  );
  gauge(
    registry,
    'vigie_filter_fill_ratio',
    'Share of the filter bits that are set (one half is full).',
    [],
    () => [[{}, facts.filter().fillRatio]],
  );
  gauge(registry, 'vigie_filter_entries', 'Entries in the revocation filter.', [], () => [
    [{}, facts.filter().entries],
  ]);
  gauge(registry, 'vigie_filter_capacity_entries', 'Entries that the filter is sized for.', [], () => [
    [{}, facts.filter().capacity],
  ]);
  gauge(registry, 'vigie_filter_memory_bytes', 'Memory of the filter.', [], () => [
    [{}, facts.filter().memoryBytes],
  ]);
  counter(
    registry,
    'vigie_key_cache_requests_total',
    'Look-ups of prepared keys, by result.',
    ['result'],
    () => [
      [{ result: 'hit' }, sumOver(slabs(), (slab) => slab.keyCache('hits'))],
      [{ result: 'miss' }, sumOver(slabs(), (slab) => slab.keyCache('misses'))],
    ],
  );
  counter(
    registry,
    'vigie_key_cache_evictions_total',
    'Prepared keys that left the cache for room.',
    [],
    () => [[{}, sumOver(slabs(), (slab) => slab.keyCache('evictions'))]],
  );
  gauge(registry, 'vigie_key_cache_keys', 'Prepared keys held, all workers together.', [], () => [
    [{}, sumOver(slabs(), (slab) => slab.keyCache('keys'))],
  ]);
  gauge(
    registry,
    'vigie_key_cache_bytes',
    'Memory reckoned for prepared keys, all workers together.',
    [],
    () => [[{}, sumOver(slabs(), (slab) => slab.keyCache('bytes'))]],
  );
}

function engineMetrics(registry: Registry, slabs: () => readonly Counters[]): void {
  gauge(
    registry,
    'vigie_engine_in_force_info',
    'The engine that judges in each thread now: the workers by number, and the main thread last.',
    ['thread', 'engine', 'kernel'],
    () =>
      slabs().flatMap((slab, index): Sample[] => {
        const inForce = slab.engineInForce();
        return inForce === undefined ? [] : [[{ thread: String(index), ...inForce }, 1]];
      }),
  );
  counter(
    registry,
    'vigie_engine_cross_checks_total',
    'Verdicts of the native engine that node:crypto judged again, by why they were chosen.',
    ['why'],
    () =>
      CROSS_CHECK_REASONS.map((why): Sample => [{ why }, sumOver(slabs(), (slab) => slab.crossChecks(why))]),
  );
  counter(
    registry,
    'vigie_engine_disagreements_total',
    'Calls in which node:crypto judged otherwise than the native engine: each steps the engine down.',
    [],
    () => [[{}, sumOver(slabs(), (slab) => slab.disagreements())]],
  );
}

function stateMetrics(registry: Registry, facts: GatewayFacts): void {
  const { version, engine, acceptanceRule } = facts;
  gauge(registry, 'vigie_build_info', 'What runs.', ['version', 'node', 'openssl', 'rule'], () => [
    [{ version, node: process.versions.node, openssl: process.versions.openssl, rule: acceptanceRule }, 1],
  ]);
  gauge(
    registry,
    'vigie_engine_info',
    'The signature engine that was chosen, and passed its self-test.',
    ['engine', 'implementation', 'requested'],
    () => [[{ engine: engine.name, implementation: engine.implementation, requested: engine.requested }, 1]],
  );
  gauge(registry, 'vigie_ready', '1 when the gateway may take traffic.', [], () => [
    [{}, facts.unreadyReasons().length === 0 ? 1 : 0],
  ]);
  trustMetrics(registry, facts);
  revocationMetrics(registry, facts);
}

function trustMetrics(registry: Registry, facts: GatewayFacts): void {
  const known = (value: number | undefined): Sample[] => (value === undefined ? [] : [[{}, value]]);
  gauge(registry, 'vigie_trust_list_version', 'Version of the trust list in force.', [], () =>
    known(facts.trustList().version),
  );
  gauge(
    registry,
    'vigie_trust_list_age_seconds',
    'Time since its source last confirmed the trust list.',
    [],
    () => known(facts.trustList().ageSeconds),
  );
  gauge(
    registry,
    'vigie_trust_list_max_age_seconds',
    'Age at which cards are answered keys_stale (VIGIE_TRUST_LIST_MAX_AGE_SECONDS).',
    [],
    () => [[{}, facts.trustList().maxAgeSeconds]],
  );
  gauge(registry, 'vigie_trust_list_issuers', 'Issuers on the trust list.', [], () => [
    [{}, facts.trustList().issuers],
  ]);
  gauge(registry, 'vigie_trust_list_keys', 'Keys on the trust list, by state.', ['state'], () => {
    const { keys, retiredKeys } = facts.trustList();
    return [
      [{ state: 'listed' }, keys - retiredKeys],
      [{ state: 'retired' }, retiredKeys],
    ];
  });
  counter(registry, 'vigie_trust_list_loads_total', 'Loads of the trust list, by outcome.', ['outcome'], () =>
    Object.entries(facts.trustList().loads).map(([outcome, count]): Sample => [{ outcome }, count]),
  );
}

function revocationMetrics(registry: Registry, facts: GatewayFacts): void {
  gauge(registry, 'vigie_revocation_seq', 'Last status change enforced.', [], () => [
    [{}, facts.revocation().seq],
  ]);
  gauge(registry, 'vigie_revocation_age_seconds', 'Age of the revocation knowledge.', [], () => [
    [{}, facts.revocation().ageSeconds],
  ]);
  gauge(
    registry,
    'vigie_revocation_max_age_seconds',
    'Age at which cards are answered revocation_stale (VIGIE_REVOCATION_MAX_AGE_SECONDS).',
    [],
    () => [[{}, facts.revocation().maxAgeSeconds]],
  );
  gauge(
    registry,
    'vigie_revocation_entries',
    'Cards with a status other than active; superseded: holders whose older credentials are revoked.',
    ['status'],
    () =>
      Object.entries(facts.revocation().entries ?? {}).map(([status, count]): Sample => [{ status }, count]),
  );
  counter(
    registry,
    'vigie_status_change_calls_total',
    'Calls for status changes, by outcome.',
    ['outcome'],
    () => Object.entries(facts.revocation().changes).map(([outcome, count]): Sample => [{ outcome }, count]),
  );
  histogram(
    registry,
    'vigie_revocation_enforcement_seconds',
    "From a status change, by its admitting gateway's clock, to its enforcement by every worker here; of those made " +
      'since the start.',
    DELAY_BUCKETS,
    () => [[{}, facts.revocation().enforcement] as const],
  );
}
