/** Publishes a store's filter in Redis as a gateway does that has been up for a while. */
import { join } from 'node:path';
import type { RedisServer } from '../../process/redis-server.ts';
import type { Built } from './built.ts';
import { MASTER } from './bulk-load.ts';

const TIMEOUT_MS = 10_000;

/** `dataDir` is a gateway's that does not run. Snapshots lapse after a week, so this is done for each run. */
export async function publishSnapshot(
  { clock, redisLog, secret: secrets, snapshot, store: stores }: Built,
  dataDir: string,
  redis: RedisServer,
  filter: { readonly capacity: number; readonly falsePositiveRate: number },
): Promise<void> {
  const secret = secrets.deriveSecret(Buffer.from(MASTER, 'hex'));
  const options = { dir: join(dataDir, 'status'), secret, clock: clock.systemClock, filter };
  const opened = await stores.openStatusStore(options);
  if (!opened.ok) throw new Error(opened.message);
  const { store } = opened;
  const address = { host: '127.0.0.1', port: Number(new URL(redis.url).port) };
  const log = redisLog.openRedisLog({
    target: { kind: 'server', address, database: 0, tls: false, username: undefined },
    credentials: {
      password: undefined,
      sentinelPassword: undefined,
      ca: undefined,
      cert: undefined,
      key: undefined,
    },
    prefix: 'vigie',
    waitReplicas: 0,
    waitMs: TIMEOUT_MS,
    timeoutMs: TIMEOUT_MS,
    fingerprint: secret.fingerprint,
  });
  try {
    const head = store.check();
    if (!head.ok) throw new Error(head.fault);
    const position = { epoch: Buffer.from(store.epoch, 'hex'), seq: head.value.seq };
    const published = await log.publishFilter(
      await snapshot.encodeFilterSnapshot(secret, store.filter, position),
    );
    if (!published.ok) throw new Error(`the filter's snapshot was not published: ${published.code}`);
  } finally {
    log.close();
    await store.close();
  }
}
