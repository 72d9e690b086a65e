/** One server for all tests of a file, emptied before each, and a log on it. */
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { SharedLog } from '../../../../src/revocation/shared/shared-log.ts';
import { type RedisServer, startRedis } from '../../../support/redis.ts';
import { closeLogs, openLog } from './log-fixture.ts';

/** Those of the test under way. */
export let server: RedisServer;
export let url: string;
export let log: SharedLog;

/** To be called once, at the top of the file. */
export function useOneServer(): void {
  beforeAll(async () => {
    server = await startRedis();
    url = `redis://127.0.0.1:${server.port}`;
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    await server.admin.flushall();
    log = openLog(url);
  });
  afterEach(closeLogs);
}

/** Of a head: no replica is asked, nobody holds it, and the server has its two ids. */
export const QUIET = {
  server: expect.stringMatching(/^[0-9a-f]{40} [0-9a-f]{40}$/),
  confirmed: true,
  held: false,
};
export const APPENDED = { ok: true, value: { kind: 'appended' } };
