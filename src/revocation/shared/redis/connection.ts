/**
 * One connection to Redis on which nothing waits longer than its deadline.
 *
 * - What is sent while there is no connection fails at once (`enableOfflineQueue: false`), except that the very
 *   first calls wait for the first attempt to connect.
 * - What was sent on a connection that broke fails at once and is never sent again (`maxRetriesPerRequest: 0`,
 *   `autoResendUnfulfilledCommands: false`): an append repeated behind our back would be a second one.
 * - A deadline missed ends the connection. It may be half-open, and replies still owed on it would hold up the
 *   next ones; a fresh one says more quickly whether Redis is there.
 * - READONLY ends it too: the primary is elsewhere by now, and Sentinel or DNS knows where.
 */
import { randomBytes } from 'node:crypto';
import { Redis, type RedisOptions } from 'ioredis';
import type { LogResult } from '../shared-log.ts';
import type { RedisCredentials } from './credentials.ts';
import { type Fault, fault, faultOf } from './fault.ts';
import type { Script } from './script.ts';
import type { RedisTarget } from './target.ts';

export type Argument = string | number | Buffer;
export type Reply = Buffer | number | null | readonly Reply[];
/** A command, or a script by its hash with the keys it touches. */
export type Call =
  | readonly [name: string, ...args: Argument[]]
  | { readonly script: Script; readonly keys: readonly string[]; readonly args: readonly Argument[] };

export interface Connection {
  /**
   * Sends calls in one write and answers each in order, within the deadline and `extraMs`. Where a script has to
   * be sent whole first, all calls are sent again: scripts of one write are alone or harmless to repeat.
   */
  run(calls: readonly Call[], extraMs?: number): Promise<readonly LogResult<Reply>[]>;
  /** One call, likewise. */
  one(call: Call): Promise<LogResult<Reply>>;
  /** Another one after each reconnection. */
  name(): string;
  close(): void;
}

export interface ConnectionOptions {
  readonly target: RedisTarget;
  readonly credentials: RedisCredentials;
  readonly timeoutMs: number;
  /** The most `extraMs` that any call here asks for. */
  readonly longestExtraMs: number;
}

const CONNECT_TIMEOUT_MS = 1_000;
/** Part of what the log's settling waits for (`settling.ts`): whoever holds more has to be back by then. */
const MAX_RETRY_DELAY_MS = 1_000;

export function connect(options: ConnectionOptions): Connection {
  const { timeoutMs } = options;
  const client = new Redis(clientOptions(options));
  // Why there is no connection, as far as known: the answer to whoever asks meanwhile.
  let absence: Fault = fault('unreachable', 'NOT_CONNECTED');
  const firstAttempt = new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, timeoutMs);
    const settle = () => {
      clearTimeout(timer);
      resolve();
    };
    for (const event of ['ready', 'error', 'close', 'end']) client.once(event, settle);
  });
  let name = '';
  client.on('ready', () => {
    name = `connection ${randomBytes(8).toString('hex')}`;
    absence = fault('unreachable', 'NOT_CONNECTED');
  });
  client.on('error', (error) => {
    absence = faultOf(error);
  });

  /** Ends the connection of this name, once: what expires late must not end the one after it. */
  let ended = '';
  const end = (of: string) => {
    if (of !== name || of === ended) return;
    ended = of;
    client.disconnect(true);
  };

  const run = async (calls: readonly Call[], extraMs = 0): Promise<readonly LogResult<Reply>[]> => {
    if (client.status !== 'ready') await firstAttempt;
    if (client.status !== 'ready') return calls.map(() => absence);
    const deadlineMs = timeoutMs + extraMs;
    const on = { client, end: end.bind(undefined, name) };
    let results = await send(on, calls, deadlineMs, 'EVALSHA');
    if (failed(results, 'NOSCRIPT')) results = await send(on, calls, deadlineMs, 'EVAL');
    absence = failed(results, 'TIMEOUT') ?? failed(results, 'READONLY') ?? absence;
    return results;
  };
  return {
    run,
    one: async (call) => (await run([call]))[0] as LogResult<Reply>,
    name: () => name,
    close: () => client.disconnect(),
  };
}

/** The first failure with this code. */
function failed(results: readonly LogResult<Reply>[], code: string): Fault | undefined {
  return results.find((result): result is Fault => !result.ok && result.code === code);
}

/** One write, one deadline for all of it. */
function send(
  { client, end }: { readonly client: Redis; readonly end: () => void },
  calls: readonly Call[],
  deadlineMs: number,
  scripts: 'EVALSHA' | 'EVAL',
): Promise<readonly LogResult<Reply>[]> {
  return new Promise((resolve) => {
    const results: (LogResult<Reply> | undefined)[] = calls.map(() => undefined);
    let open = calls.length;
    const expire = () => {
      if (open === 0) return;
      open = 0;
      resolve(results.map((result) => result ?? fault('unreachable', 'TIMEOUT')));
      end();
    };
    // After a turn: a reply that arrived while this thread was busy is read before it counts as missing.
    const timer = setTimeout(() => setImmediate(expire), deadlineMs);
    const pipeline = client.pipeline();
    for (const [i, call] of calls.entries()) {
      const [name, ...args] = commandOf(call, scripts);
      pipeline.callBuffer(name, args, (error, reply) => {
        if (open === 0) return;
        results[i] = error ? faultOf(error) : { ok: true, value: reply as Reply };
        if (--open > 0) return;
        clearTimeout(timer);
        resolve(results as LogResult<Reply>[]);
      });
    }
    void pipeline.exec();
  });
}

function commandOf(call: Call, scripts: 'EVALSHA' | 'EVAL'): readonly [string, ...Argument[]] {
  if (!('script' in call)) return call;
  const { script, keys, args } = call;
  return [scripts, scripts === 'EVAL' ? script.text : script.sha1, keys.length, ...keys, ...args];
}

/** Full jitter, capped: gateways that lost Redis together do not come back together. */
export function retryDelayMs(attempt: number, random: () => number = Math.random): number {
  return 10 + Math.floor(random() * Math.min(MAX_RETRY_DELAY_MS, 50 * 2 ** attempt));
}

function clientOptions({ target, credentials, timeoutMs, longestExtraMs }: ConnectionOptions) {
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
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // Behind our own deadline; it bounds what ioredis itself sends while connecting.
    commandTimeout: 2 * timeoutMs + longestExtraMs,
    disconnectTimeout: 50,
    retryStrategy: (attempt: number) => retryDelayMs(attempt),
    reconnectOnError: (error: Error) => error.message.includes('READONLY'),
  } satisfies RedisOptions;
  if (target.kind === 'server') {
    // Without the ready check LOADING is an answer that says so, not a connection that is not there.
    return { ...common, ...target.address, db: target.database, enableReadyCheck: false };
  }
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
}
