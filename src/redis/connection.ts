/**
 * One connection to Redis on which nothing waits longer than its deadline.
 *
 * - What is sent while there is no connection fails at once (`enableOfflineQueue: false`), except that the very
 *   first calls wait for the first attempt to connect.
 * - What was sent on a connection that broke fails at once and is never sent again (`maxRetriesPerRequest: 0`,
 *   `autoResendUnfulfilledCommands: false`): an append repeated behind our back would be a second one.
 * - A deadline missed ends the connection. It may be half-open, and replies still owed on it would hold up the
 *   next ones; a fresh one says more quickly whether Redis is there.
 * - READONLY ends it too: the primary is elsewhere by now, and Sentinel, DNS or the cluster knows where. So do a
 *   cluster's MOVED, CLUSTERDOWN and LOADING.
 */
import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { type ConnectionOptions, clientOptions } from './connection-options.ts';
import { type Fault, fault, faultOf, type Result } from './fault.ts';
import type { Script } from './script.ts';

export type Argument = string | number | Buffer;
export type Reply = Buffer | number | null | readonly Reply[];
/** A command, or a script by its hash with the keys it touches. */
export type Call =
  | readonly [name: string, ...args: Argument[]]
  | {
      readonly script: Script;
      readonly keys: readonly string[];
      readonly args: readonly Argument[];
    };

export interface Connection {
  /**
   * Sends calls in one write and answers each in order, within the deadline and `extraMs`. Where a script has to
   * be sent whole first, all calls are sent again: scripts of one write are alone or harmless to repeat.
   */
  run(calls: readonly Call[], extraMs?: number): Promise<readonly Result<Reply>[]>;
  /** One call, likewise. */
  one(call: Call): Promise<Result<Reply>>;
  /** Another one after each reconnection. */
  name(): string;
  close(): void;
}

/** After these there is no connection for a moment. */
const LEADS_AWAY = ['TIMEOUT', 'READONLY', 'MOVED', 'CLUSTERDOWN'];

export function connect(options: ConnectionOptions): Connection {
  const { timeoutMs, target } = options;
  const client = new Redis(clientOptions(options));
  // Why there is no connection, as far as known: the answer to whoever asks meanwhile.
  let absence: Fault = fault('unreachable', 'NOT_CONNECTED');
  const firstAttempt = new Promise<void>((resolve) => {
    // A cluster's nodes have to be asked before.
    const timer = setTimeout(resolve, target.kind === 'cluster' ? 2 * timeoutMs : timeoutMs);
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

  const run = async (calls: readonly Call[], extraMs = 0): Promise<readonly Result<Reply>[]> => {
    if (client.status !== 'ready') await firstAttempt;
    if (client.status !== 'ready') return calls.map(() => absence);
    const deadlineMs = timeoutMs + extraMs;
    const on = { client, end: end.bind(undefined, name) };
    let results = await send(on, calls, deadlineMs, 'EVALSHA');
    if (failed(results, 'NOSCRIPT')) results = await send(on, calls, deadlineMs, 'EVAL');
    absence = LEADS_AWAY.map((code) => failed(results, code)).find(Boolean) ?? absence;
    // That the keys are another node's says in whatever words that this is a cluster.
    if (target.kind === 'cluster' || failed(results, 'MOVED') === undefined) return results;
    return calls.map(() => fault('refused', 'CLUSTERMODE'));
  };
  return {
    run,
    one: async (call) => (await run([call]))[0] as Result<Reply>,
    name: () => name,
    close: () => client.disconnect(),
  };
}

/** The first failure with this code. */
function failed(results: readonly Result<Reply>[], code: string): Fault | undefined {
  return results.find((result): result is Fault => !result.ok && result.code === code);
}

/** One write, one deadline for all of it. */
function send(
  { client, end }: { readonly client: Redis; readonly end: () => void },
  calls: readonly Call[],
  deadlineMs: number,
  scripts: 'EVALSHA' | 'EVAL',
): Promise<readonly Result<Reply>[]> {
  return new Promise((resolve) => {
    const results: (Result<Reply> | undefined)[] = calls.map(() => undefined);
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
        resolve(results as Result<Reply>[]);
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
