/** The three listeners: data by the workers, admin and metrics in this thread. */
import { adminAuthorizer } from '../admin/admin-auth.ts';
import { adminRoutes } from '../admin/admin-routes.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { createAccessLog, MOST_LINES } from '../ingress/access-log.ts';
import { healthRoutes } from '../ingress/health-routes.ts';
import type { ServerOptions } from '../ingress/http-server.ts';
import type { ParserBuild } from '../ingress/parser-build.ts';
import type { Route } from '../ingress/route.ts';
import type { TrustKeeper } from '../keys/trust-keeper-contract.ts';
import { describeError, type Log, writesRequests } from '../log.ts';
import type { Counters } from '../metrics/counters.ts';
import { buildRegistry } from '../metrics/exposition.ts';
import { metricsRoute } from '../metrics/metrics-route.ts';
import { requestObserver } from '../metrics/request-observer.ts';
import type { ChangeOutcome } from '../revocation/change-call.ts';
import type { SignatureEngine } from '../signature/engine.ts';
import { VERSION } from '../version.ts';
import { type SharedState, unreadyReasons } from '../workers/shared-state.ts';
import type { WorkerPool } from '../workers/worker-pool.ts';
import { createAdminParts } from './admin-parts.ts';
import type { AuditSide } from './audit.ts';
import type { CallersSide } from './callers.ts';
import type { Canary } from './canary.ts';
import type { Stops } from './end.ts';
import { createGatewayFacts } from './gateway-facts.ts';
import { type Listener, openListener } from './listener.ts';
import type { ReplaySide } from './replay.ts';
import type { StatusSide } from './status-side.ts';
import type { TlsEnds } from './tls-files.ts';

export interface ListenerParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly engine: SignatureEngine;
  readonly status: StatusSide;
  readonly replay: ReplaySide;
  readonly callers: CallersSide;
  readonly keeper: TrustKeeper;
  readonly state: SharedState;
  readonly pool: WorkerPool;
  readonly parser: ParserBuild;
  /** `undefined` without TLS. */
  readonly tls: TlsEnds | undefined;
  /** `undefined` where it is off. */
  readonly canary: Canary | undefined;
  /** This thread's own. */
  readonly counters: Counters;
  readonly adminToken: string | undefined;
  readonly audit: AuditSide;
}

/** Ports as opened, where a setting said 0. */
export interface Ports {
  readonly data: number;
  readonly admin: number;
  readonly metrics: number;
}

/** Opens all three, or says which address cannot be had. */
export async function openListeners(
  parts: ListenerParts,
  stops: Stops,
): Promise<{ ok: true; ports: Ports } | { ok: false; error: string }> {
  const { config, pool, status, callers, keeper, state, log, adminToken } = parts;
  const unready = (): string[] =>
    unreadyReasons(state, config.trustListMaxAgeSeconds * 1000, status.view().state);
  // Each from the start: a rate misses what a series begins with.
  const changeCalls: Record<ChangeOutcome['outcome'], number> = {
    applied: 0,
    'revocation-final': 0,
    'mass-change-held': 0,
    'idempotency-key-reused': 0,
    unavailable: 0,
  };
  const onChangeCall = (outcome: ChangeOutcome['outcome']): void => {
    changeCalls[outcome]++;
  };
  const facts = createGatewayFacts({ ...parts, version: VERSION, unready, changeCalls });
  const registry = buildRegistry(facts, () => {
    parts.counters.setKeyCache(parts.engine.keyCache);
    parts.counters.setEngineInForce(parts.engine);
    return [...pool.counters(), parts.counters];
  });

  const data = await pool.listen(config.host, config.port);
  if (data === undefined) return taken('VIGIE_PORT', config.host, config.port);
  const open = async (
    name: 'admin' | 'metrics',
    host: string,
    port: number,
    options: ServerOptions,
  ): Promise<Listener | undefined> => {
    const onFull = (): void =>
      log('warn', 'a listener is full; connections beyond are closed', { listener: name });
    const listener = await openListener(host, port, options, onFull);
    if (listener !== undefined) stops.add(listener.close);
    return listener;
  };
  const admin = await open('admin', config.adminHost, config.adminPort, {
    ...serverOptions(
      parts,
      adminRoutes(
        createAdminParts({ status, keeper, log, audit: parts.audit.trail, onChangeCall }),
        parts.clock,
      ),
    ),
    authorize: adminAuthorizer({ token: adminToken, users: callers.adminUsers }, parts.clock),
    ...(writesRequests(config) && {
      accessLog: createAccessLog({
        oneIn: 1,
        mostLines: MOST_LINES,
        threads: 1,
        random: Math.random,
        writeLine: (line) => log('info', 'request', { listener: 'admin', ...line }),
      }),
    }),
  });
  if (admin === undefined) return taken('VIGIE_ADMIN_PORT', config.adminHost, config.adminPort);
  const health = healthRoutes({ unreadyReasons: unready, revocation: status.view });
  const watched = serverOptions(parts, [metricsRoute(registry), ...health]);
  const metrics = await open('metrics', config.metricsHost, config.metricsPort, watched);
  if (metrics === undefined) return taken('VIGIE_METRICS_PORT', config.metricsHost, config.metricsPort);
  return { ok: true, ports: { data, admin: admin.port, metrics: metrics.port } };
}

function serverOptions(
  { config, clock, log, state, counters, parser }: ListenerParts,
  routes: readonly Route[],
): ServerOptions {
  return {
    routes,
    clock,
    parser,
    bodyBounds: {
      idleTimeoutMs: config.bodyIdleTimeoutMs,
      timeoutMs: config.bodyTimeoutMs,
      memoryBytes: config.bodyMemoryBytes,
    },
    answerTimeoutMs: config.answerTimeoutMs,
    isDraining: () => state.phase() === 'draining',
    observe: requestObserver(counters),
    onUnexpectedError: (error, requestId) => {
      counters.countUnexpectedError();
      const fields = { ...describeError(error), ...(requestId && { requestId }) };
      log('error', 'a request failed inside the gateway', fields);
    },
  };
}

function taken(setting: string, host: string, port: number): { ok: false; error: string } {
  return { ok: false, error: `${setting}: ${host}:${port} cannot be listened on; is another program there?` };
}
