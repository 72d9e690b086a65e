/** One server for all tests of a file, emptied before each, and a log on it. */
import { afterEach, beforeEach, expect } from 'vitest';
import type { SharedLog } from '../../../../src/revocation/shared/shared-log.ts';
import { url, useOneRedis } from '../../../support/one-redis.ts';
import { closeLogs, openLog } from './log-fixture.ts';

export { server, url } from '../../../support/one-redis.ts';

/** That of the test under way. */
export let log: SharedLog;

/** To be called once, at the top of the file. */
export function useOneServer(): void {
  useOneRedis();
  beforeEach(() => {
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
