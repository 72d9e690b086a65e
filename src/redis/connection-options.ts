/** How ioredis is told to connect: directly, by the sentinels' word, or to the owner of a cluster's slot. */
import type { RedisOptions } from 'ioredis';
import { clusterConnector } from './cluster-connector.ts';
import type { RedisCredentials } from './credentials.ts';
import { LEAST_RETRY_DELAY_MS, MAX_RETRY_DELAY_MS, retryDelayMs } from './retry-delay.ts';
import type { RedisTarget } from './target.ts';

export interface ConnectionOptions {
  readonly target: RedisTarget;
  readonly credentials: RedisCredentials;
  readonly timeoutMs: number;
  /** The most `extraMs` that any call here asks for. */
  readonly longestExtraMs: number;
  /** In which all keys stand. */
  readonly slot: number;
}

/** Part of what the log's settling waits for (`settling.ts`): whoever holds more has to be back by then. */
const CONNECT_TIMEOUT_MS = 500;
/** Shorter where each attempt first asks the cluster's nodes, which may take a call's deadline. */
const MAX_CLUSTER_RETRY_DELAY_MS = 240;

/**
 * How long a reconnection takes at most, once the primary is there: an attempt may have begun just before that, and
 * hang; then there is a delay, and whoever knows the primary is asked.
 */
export function reconnectionMsOf({ target, timeoutMs }: Pick<ConnectionOptions, 'target' | 'timeoutMs'>) {
  const hanging = CONNECT_TIMEOUT_MS + LEAST_RETRY_DELAY_MS;
  if (target.kind === 'cluster') return hanging + MAX_CLUSTER_RETRY_DELAY_MS + timeoutMs;
  const asking = target.kind === 'sentinel' ? CONNECT_TIMEOUT_MS : 0;
  return hanging + MAX_RETRY_DELAY_MS + asking;
}

/**
 * By these errors a server says that it does not lead, or that this is not known: found anew, it may be another one.
 * ASK and TRYAGAIN are none of them: until a migration has ended the slot has no other owner.
 */
function saysElsewhere(target: RedisTarget, message: string): boolean {
  return (target.kind === 'cluster' ? /READONLY|^(MOVED|CLUSTERDOWN|LOADING) / : /READONLY/).test(message);
}

export function clientOptions(options: ConnectionOptions): RedisOptions & { replyMapping: 'legacy' } {
  const { target, credentials, timeoutMs, longestExtraMs, slot } = options;
  const { ca, cert, key } = credentials;
  const tls = target.tls ? { ca, cert, key } : undefined;
  const common = {
    username: target.username,
    password: credentials.password,
    tls,
    // RESP2 needs no HELLO, and the answers here are the same.
    protocol: 2,
    replyMapping: 'legacy',
    connectionName: 'vigie',
    disableClientInfo: true,
    enableOfflineQueue: false,
    // Without the ready check LOADING is an answer that says so, not a connection that is not there.
    enableReadyCheck: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // Behind our own deadline; it bounds what ioredis itself sends while connecting.
    commandTimeout: 2 * timeoutMs + longestExtraMs,
    disconnectTimeout: 50,
    retryStrategy: (attempt: number) => retryDelayMs(attempt),
    reconnectOnError: (error: Error) => saysElsewhere(target, error.message),
  } satisfies RedisOptions;
  switch (target.kind) {
    case 'server':
      return { ...common, ...target.address, db: target.database };
    case 'sentinel':
      return {
        ...common,
        sentinels: target.sentinels.map(({ host, port }) => ({ host, port })),
        name: target.primaryName,
        sentinelPassword: credentials.sentinelPassword,
        sentinelCommandTimeout: CONNECT_TIMEOUT_MS,
        sentinelRetryStrategy: (attempt: number) => retryDelayMs(attempt),
        enableTLSForSentinelMode: target.tls,
        sentinelTLS: tls,
        // The ready check asks for the role: a demoted primary is left for the next.
        enableReadyCheck: true,
      };
    case 'cluster': {
      const retryStrategy = (attempt: number) =>
        retryDelayMs(attempt, Math.random, MAX_CLUSTER_RETRY_DELAY_MS);
      const finding = { seeds: target.seeds, slot, node: common, timeoutMs, retryDelayMs: retryStrategy };
      return { ...common, retryStrategy, Connector: clusterConnector(finding) };
    }
  }
}
