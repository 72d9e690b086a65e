/** The client of Redis, where it cannot be loaded or stands still: nobody waits for it, and nothing is left uncaught. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { loadRedisProofs } from '../../src/replay/load-redis-proofs.ts';
import { openRedisProofs, type RedisProofs } from '../../src/replay/redis-proofs.ts';
import { createSharing } from '../../src/replay/sharing.ts';
import { NO_CREDENTIALS, targetOf } from '../revocation/shared/redis/log-fixture.ts';
import { url, useOneRedis } from '../support/one-redis.ts';
import { until } from '../support/redis.ts';
import { idOf } from './replay-fixture.ts';
import { KEEP_MS, TIMEOUT_MS } from './sharing-fixture.ts';

useOneRedis();

const open = () =>
  openRedisProofs({
    target: targetOf(url),
    credentials: NO_CREDENTIALS,
    prefix: 'vigie',
    timeoutMs: TIMEOUT_MS,
  });

function sharingOf(proofs: RedisProofs) {
  const codes: (string | undefined)[] = [];
  const observer = {
    onShared: () => {},
    onAsked: () => {},
    onCutOff: (because: string | undefined) => void codes.push(because),
  };
  const options = { proofs, clock: systemClock, keepMs: KEEP_MS, timeoutMs: TIMEOUT_MS, observer };
  return { ...createSharing(options), codes };
}

const EXPIRES_AT_MS = Date.now() + 60_000;

it('a client that could not be loaded is loaded again, by the next who asks', async () => {
  let tries = 0;
  const proofs = loadRedisProofs(async () => {
    if (++tries < 3) throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
    return open();
  });
  const sharing = sharingOf(proofs);
  const ask = () => sharing.share([idOf(`load ${tries}`)], [EXPIRES_AT_MS]);
  expect(await ask()).toEqual(['unreachable']);
  await until(async () => (await ask())[0] === 'first', 'sharing');
  expect(sharing.codes).toEqual(['EMFILE', undefined]);
  sharing.stop();
});

it('what was never loaded is closed, and what is loaded too late', async () => {
  const never = loadRedisProofs(() => Promise.reject(new Error('never')));
  await expect(never.take([], [], [])).rejects.toThrow('never');
  never.close();
  const closed: string[] = [];
  const late = loadRedisProofs(async () => {
    await sleep(20);
    const proofs = open();
    const close = (): void => {
      closed.push('closed');
      proofs.close();
    };
    return { ...proofs, close };
  });
  const asked = late.take([idOf(1)], [60_000], []);
  late.close();
  expect(await asked).toMatchObject({ ok: false, code: 'CLOSED' });
  expect(closed).not.toEqual([]);
  // A failure that nobody awaits would be the end of this process.
  await sleep(50);
});

it('what was said by the deadline counts, and what is said later changes nothing of it', async () => {
  let answerLate = (): void => {};
  const { share, codes, stop } = sharingOf({
    take: (_ids, _livesMs, results) => {
      results[1] = 'seen';
      return new Promise((resolve) => {
        answerLate = () => {
          results[0] = 'seen';
          resolve(undefined);
        };
      });
    },
    close: () => {},
  });
  const told = await share([idOf(1), idOf(2)], [EXPIRES_AT_MS, EXPIRES_AT_MS]);
  expect(told).toEqual(['unreachable', 'seen']);
  expect(codes).toEqual(['TIMEOUT']);
  answerLate();
  await sleep(10);
  expect(told).toEqual(['unreachable', 'seen']);
  stop();
});
