/** Servers of one test, and what is asked of a log on them. */
import { expect } from 'vitest';
import type { LogResult, SharedLog } from '../../../../src/revocation/shared/shared-log.ts';
import { type RedisServer, type RedisServerOptions, startRedis } from '../../../support/redis.ts';
import { appendOf, closeLogs, epochOf, hashOf, record, stateAt } from './log-fixture.ts';

const servers: RedisServer[] = [];

/** Stopped by `stopServers`. */
export async function start(options?: RedisServerOptions): Promise<RedisServer> {
  const server = await startRedis(options);
  servers.push(server);
  return server;
}

export async function stopServers(): Promise<void> {
  closeLogs();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
}

export const urlOf = (server: RedisServer) => `redis://127.0.0.1:${server.port}`;
export const fail = (fault: string, code: string) => ({ ok: false, fault, code });

/** Whether the call ended within the time given, and its result. */
export async function within<T>(limitMs: number, call: Promise<LogResult<T>>): Promise<LogResult<T>> {
  const begunMs = performance.now();
  const result = await call;
  expect(performance.now() - begunMs).toBeLessThan(limitMs);
  return result;
}

/** Each call of the contract, with arguments that are well. */
export function everyCall(log: SharedLog, epoch: Buffer): Promise<LogResult<unknown>>[] {
  return [
    log.follow(0, 10),
    log.append(appendOf(epoch, 0, [record(1, hashOf(1))])),
    log.entriesOf([hashOf(1)]),
    log.scanEntries(epoch, '0'),
    log.beginFounding(epoch, epochOf(2), 1_000),
    log.putEntries(epoch, [record(1, hashOf(1))], 1_000),
    log.open(epoch, 0, stateAt(epoch, 0)),
    log.restore({ epoch, seq: 0, state: stateAt(epoch, 0) }, [record(1, hashOf(1))]),
    log.lives(),
    log.hold(1_000),
    log.lease('audit', 1_000),
    log.publishFilter({ header: Buffer.from('h'), bits: Buffer.alloc(600_000) }),
    log.readFilter(),
    log.trim(0),
  ];
}
