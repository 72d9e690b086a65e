/**
 * A gateway's copy that applies records, writes its filter's file and publishes it in Redis, over and over, and
 * prints each step before it begins: until it is killed.
 */
import { writeSync } from 'node:fs';
import { systemClock } from '../../../src/clock.ts';
import { parseRedisUrl } from '../../../src/redis/target.ts';
import { saveFilter } from '../../../src/revocation/filter-saving.ts';
import { encodeFilterSnapshot } from '../../../src/revocation/shared/filter-snapshot.ts';
import { createLmdbCopy } from '../../../src/revocation/shared/lmdb-copy.ts';
import { openRedisLog } from '../../../src/revocation/shared/redis/redis-log.ts';
import { openStatusStore } from '../../../src/revocation/status-store.ts';
import { good, records, SECRET } from './synthetic-log.ts';

const [dir = '', redisUrl = '', capacity = ''] = process.argv.slice(2);
const filter = { capacity: Number(capacity), falsePositiveRate: 1e-6 };
const opened = await openStatusStore({ dir, secret: SECRET, filter, clock: systemClock });
if (!opened.ok) throw new Error(opened.fault);
const { store } = opened;
const copy = createLmdbCopy({ store });
const parsed = parseRedisUrl(redisUrl);
if (!parsed.ok) throw new Error(parsed.error);
const none = undefined;
const log = openRedisLog({
  target: parsed.target,
  credentials: { password: none, sentinelPassword: none, ca: none, cert: none, key: none },
  prefix: 'vigie',
  waitReplicas: 0,
  waitMs: 500,
  timeoutMs: 5_000,
  fingerprint: SECRET.fingerprint,
});

let { seq, epoch } = good(copy.head());
for (;;) {
  seq = good(copy.apply(records(3, seq + 1))).seq;
  writeSync(1, `applied ${seq}\n`);
  if (good(await saveFilter(store, 0)) !== 'saved') throw new Error('not saved');
  writeSync(1, `saved ${seq}\n`);
  ({ epoch } = good(copy.head()));
  const snapshot = await encodeFilterSnapshot(SECRET, store.filter, { epoch, seq });
  const published = await log.publishFilter(snapshot);
  if (!published.ok) throw new Error(published.code);
  writeSync(1, `published ${seq}\n`);
}
