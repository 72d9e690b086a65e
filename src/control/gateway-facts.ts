/** The main thread's knowledge in the form in which the metrics read it. */
import type { Config } from '../config.ts';
import type { TrustKeeper } from '../keys/trust-keeper-contract.ts';
import type { GatewayFacts } from '../metrics/exposition.ts';
import type { ReplicationFacts } from '../metrics/replication-metrics.ts';
import { REPLICATOR_STATES } from '../revocation/shared/replicator-contract.ts';
import type { SignatureEngine } from '../signature/engine.ts';
import { ACCEPTANCE_RULE } from '../signature/rule.ts';
import { RESTART_REASONS } from '../workers/worker-member.ts';
import type { WorkerPool } from '../workers/worker-pool.ts';
import type { AuditSide } from './audit.ts';
import type { CallersSide } from './callers.ts';
import type { Canary } from './canary.ts';
import type { ReplaySide } from './replay.ts';
import type { Replication, StatusSide } from './status-side.ts';
import type { TlsEnds } from './tls-files.ts';

export interface FactSources {
  readonly version: string;
  readonly config: Config;
  readonly engine: SignatureEngine;
  readonly keeper: TrustKeeper;
  readonly status: StatusSide;
  readonly replay: ReplaySide;
  readonly callers: CallersSide;
  /** `undefined` without TLS. */
  readonly tls: TlsEnds | undefined;
  readonly audit: AuditSide;
  /** `undefined` where it is off. */
  readonly canary: Canary | undefined;
  readonly pool: WorkerPool;
  unready(): readonly string[];
  /** Calls for status changes so far, by outcome. */
  readonly changeCalls: Readonly<Record<string, number>>;
}

export function createGatewayFacts(sources: FactSources): GatewayFacts {
  const { version, config, engine, keeper, status, replay, canary, pool, unready, changeCalls } = sources;
  return {
    callers: sources.callers.facts,
    tls: sources.tls,
    audit: sources.audit.trail.facts,
    version,
    engine: { requested: config.engine, name: engine.name, implementation: engine.implementation },
    acceptanceRule: ACCEPTANCE_RULE,
    workers: () => ({
      serving: pool.serving(),
      restarts: Object.fromEntries(RESTART_REASONS.map((why) => [why, pool.restarts(why)])),
    }),
    unreadyReasons: unready,
    trustList: () => {
      const { version: listVersion, ageMs, issuers, keys, retiredKeys, outcomes } = keeper.status();
      return {
        version: listVersion,
        ageSeconds: ageMs === undefined ? undefined : ageMs / 1000,
        maxAgeSeconds: config.trustListMaxAgeSeconds,
        issuers,
        keys,
        retiredKeys,
        loads: outcomes,
      };
    },
    revocation: () => {
      const { seq, ageMs } = status.view();
      const summary = status.summary();
      return {
        seq,
        ageSeconds: ageMs / 1000,
        maxAgeSeconds: config.revocationMaxAgeSeconds,
        entries: summary && {
          revoked: summary.revoked,
          suspended: summary.suspended,
          superseded: summary.superseded,
        },
        changes: changeCalls,
        enforcement: status.enforcement.view(),
      };
    },
    replication: () => (status.replication === undefined ? undefined : replicationFacts(status.replication)),
    canary: () => canary?.facts(),
    replay: replay.facts,
    filter: () => {
      const { filter } = status.store;
      return {
        inForce: filter.shared,
        capacity: filter.capacity,
        entries: filter.entries(),
        fillRatio: filter.fill(),
        memoryBytes: filter.memoryBytes,
        targetRate: filter.falsePositiveRate,
        expectedRate: filter.currentFalsePositiveRate(),
      };
    },
  };
}

function replicationFacts({ status, calls, snapshotAgeMs }: Replication): ReplicationFacts {
  const ageMs = snapshotAgeMs();
  return {
    ...status(),
    states: REPLICATOR_STATES,
    snapshotAgeSeconds: ageMs === undefined ? undefined : ageMs / 1000,
    calls: [...calls].map(([call, { results, delays }]) => ({ call, results, durations: delays.view() })),
  };
}
