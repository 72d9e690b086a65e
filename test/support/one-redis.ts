/** One Redis for all tests of a file, emptied before each. */
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { type RedisServer, startRedis } from './redis.ts';

/** Those of the file under way. */
export let server: RedisServer;
export let url: string;

/** To be called once, at the top of the file. */
export function useOneRedis(): void {
  beforeAll(async () => {
    server = await startRedis();
    url = `redis://127.0.0.1:${server.port}`;
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    await server.admin.flushall();
  });
}
