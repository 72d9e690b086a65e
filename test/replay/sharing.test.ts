/** Proofs shared by two gateways on a real Redis, which is stopped, killed, full or forbidding in between. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { RedisTarget } from '../../src/redis/target.ts';
import { REDIS_ACL } from '../../src/revocation/shared/redis/redis-log.ts';
import { NO_CREDENTIALS, targetOf } from '../revocation/shared/redis/log-fixture.ts';
import { server, url, useOneRedis } from '../support/one-redis.ts';
import { startRedis, until } from '../support/redis.ts';
import { idOf } from './replay-fixture.ts';
import { KEEP_MS, openGuard, proofKey, sharesAgain, stopGuards, TIMEOUT_MS } from './sharing-fixture.ts';

useOneRedis();
afterEach(stopGuards);

const ids = (from: number, count: number) => Array.from({ length: count }, (_, i) => idOf(from + i));
const times = (count: number, what: string) => Array.from({ length: count }, () => what);

describe('with Redis', () => {
  it('a proof is the first at one gateway alone, each told of its own in order', async () => {
    const [one, two] = [openGuard(url), openGuard(url)];
    expect(await one.ask(ids(0, 3))).toEqual(times(3, 'first'));
    expect(await two.ask([...ids(2, 1), ...ids(3, 1), ...ids(0, 1)])).toEqual(['seen', 'first', 'seen']);
    expect(two.shared).toEqual({ first: 1, seen: 2, unreachable: 0 });
    expect([one.told.asked, two.told.asked]).toEqual([1, 1]);
  });

  it('many are asked about at once, and none at all are answered', async () => {
    const [one, two] = [openGuard(url), openGuard(url)];
    expect(await one.ask([])).toEqual([]);
    expect(await one.ask(ids(0, 2_500))).toEqual(times(2_500, 'first'));
    expect(await two.ask(ids(1_000, 2_500))).toEqual([...times(1_500, 'seen'), ...times(1_000, 'first')]);
    expect(await server.admin.dbsize()).toBe(3_500);
  });

  it('of calls at the same instant one is the first', async () => {
    const guards = Array.from({ length: 4 }, () => openGuard(url));
    const answers = await Promise.all(guards.map((guard) => guard.ask(ids(0, 500))));
    for (let i = 0; i < 500; i++) {
      const what = answers.map((answer) => answer[i]).sort();
      expect(what).toEqual(['first', 'seen', 'seen', 'seen']);
    }
  });

  it('its keys go by themselves: after the rest of a life, and thirty seconds', async () => {
    const guard = openGuard(url);
    await guard.ask([idOf('a')]);
    const lifeMs = await server.admin.pttl(proofKey(idOf('a')));
    expect(lifeMs).toBeLessThanOrEqual(60_000 + KEEP_MS);
    expect(lifeMs).toBeGreaterThan(50_000 + KEEP_MS);
    // Over already, by a clock ahead of the holder's: for the thirty seconds.
    await guard.share?.([idOf('b')], [Date.now() - 5_000]);
    expect(await server.admin.pttl(proofKey(idOf('b')))).toBeLessThanOrEqual(KEEP_MS);
  });

  it('needs no more of Redis than the user that the documents name', async () => {
    const password = 'synthetic-password';
    await server.admin.call('ACL', 'SETUSER', 'vigie', ...REDIS_ACL.split(' '), `>${password}`);
    const target = targetOf(url.replace('//', '//vigie@'));
    const guard = openGuard(url, { target, credentials: { ...NO_CREDENTIALS, password } });
    expect(await guard.ask(ids(0, 2))).toEqual(['first', 'first']);
    const stranger = openGuard(url, { target, credentials: { ...NO_CREDENTIALS, password: 'wrong' } });
    expect(await stranger.ask(ids(5, 1))).toEqual(['unreachable']);
  });
});

describe('a Redis that stands still', () => {
  it('costs the deadline once, not every call; and is shared with again when it goes on', async () => {
    const guard = openGuard(url);
    await guard.ask(ids(0, 1));
    server.signal('SIGSTOP');
    const beganMs = performance.now();
    const under = await Promise.all([guard.ask(ids(1, 1)), guard.ask(ids(2, 2))]);
    expect(under).toEqual([['unreachable'], times(2, 'unreachable')]);
    expect(performance.now() - beganMs).toBeLessThan(TIMEOUT_MS + 2_000);
    expect(guard.told.cutOff).toEqual(['TIMEOUT']);
    const { asked } = guard.told;
    for (let i = 10; i < 110; i++) expect(await guard.ask(ids(i, 1))).toEqual(['unreachable']);
    // None of these waited for anything: Redis was not asked.
    expect(guard.told.asked).toBe(asked);
    expect(guard.shared.unreachable).toBe(103);
    server.signal('SIGCONT');
    await sharesAgain(guard, 'after');
    expect(guard.told.cutOff).toEqual(['TIMEOUT', undefined]);
  });

  it('may have obeyed what it did not answer: never against its own gateway, always against others', async () => {
    const [one, two] = [openGuard(url), openGuard(url)];
    await Promise.all([one.ask(ids(0, 1)), two.ask(ids(1, 1))]);
    server.signal('SIGSTOP');
    const doubtful = ids(100, 50);
    const expiresAtMs = Date.now() + 60_000;
    expect(doubtful.map((id) => one.take(id, expiresAtMs))).toEqual(times(50, 'first'));
    expect(await one.ask(doubtful)).toEqual(times(50, 'unreachable'));
    server.signal('SIGCONT');
    // What was sent lies in the connection's buffer, and is read before its end.
    await until(
      async () => (await server.admin.exists(proofKey(doubtful[49] as Uint8Array))) === 1,
      'the keys',
    );
    await sharesAgain(one, 'after doubt');
    expect(doubtful.map((id) => one.take(id, expiresAtMs))).toEqual(times(50, 'seen'));
    expect(await two.ask(doubtful)).toEqual(times(50, 'seen'));
    expect(one.shared.seen).toBe(0);
  });
});

describe('a Redis that is killed', () => {
  it('is done without at once, and shared with again when it is back, empty', async () => {
    const guard = openGuard(url);
    await guard.ask(ids(0, 1));
    server.signal('SIGKILL');
    await until(
      async () => (await guard.ask([idOf(`dying ${performance.now()}`)]))[0] === 'unreachable',
      'its end',
    );
    expect(await guard.ask(ids(1, 1))).toEqual(['unreachable']);
    await server.restart();
    await sharesAgain(guard, 'back');
    // The script is not there any more either, and is sent whole.
    expect(await guard.ask(ids(0, 2))).toEqual(['first', 'first']);
  });

  it('while a call is under way: the call ends in time', async () => {
    const guard = openGuard(url);
    await guard.ask(ids(0, 1));
    server.signal('SIGSTOP');
    const asked = guard.ask(ids(1, 100));
    server.signal('SIGKILL');
    expect(await asked).toEqual(times(100, 'unreachable'));
    await server.restart();
    await sharesAgain(guard, 'again');
  });
});

it('a Redis that is full refuses, and is shared with again when there is room', async () => {
  const guard = openGuard(url);
  await guard.ask(ids(0, 1));
  await server.admin.config('SET', 'maxmemory', '1');
  expect(await guard.ask(ids(1, 1))).toEqual(['unreachable']);
  expect(guard.told.cutOff).toEqual(['OOM']);
  await server.admin.config('SET', 'maxmemory', '0');
  await sharesAgain(guard, 'room');
});

it('what Redis said of some counts, whatever becomes of the others', async () => {
  const [one, two] = [openGuard(url), openGuard(url)];
  await one.ask(ids(0, 100));
  await one.ask(ids(1_000, 100));
  // This user may touch the first thousand keys alone: the script on the others is refused.
  const keys = ids(0, 1_000).map((id) => `~${proofKey(id)}`);
  const rights = [...REDIS_ACL.split(' '), 'nopass', 'resetkeys', ...keys];
  await server.admin.call('ACL', 'SETUSER', 'half', ...rights);
  const half = openGuard(url, { target: targetOf(url.replace('//', '//half@')) });
  const answers = await half.ask(ids(0, 2_000));
  expect(answers.slice(0, 100)).toEqual(times(100, 'seen'));
  expect(answers.slice(100, 1_000)).toEqual(times(900, 'first'));
  expect(answers.slice(1_000)).toEqual(times(1_000, 'unreachable'));
  expect(half.shared).toEqual({ first: 900, seen: 100, unreachable: 1_000 });
  expect(half.told.cutOff).toEqual(['NOPERM']);
  expect(new Set(await two.ask(ids(100, 900)))).toEqual(new Set(['seen']));
});

it('a replica is not shared with: what it is told is lost', async () => {
  const primary = await startRedis();
  try {
    await server.admin.replicaof('127.0.0.1', primary.port);
    const guard = openGuard(url);
    expect(await guard.ask(ids(0, 1))).toEqual(['unreachable']);
    expect(guard.told.cutOff).toEqual(['READONLY']);
    await server.admin.replicaof('NO', 'ONE');
    await sharesAgain(guard, 'promoted');
  } finally {
    await server.admin.replicaof('NO', 'ONE');
    await primary.stop();
  }
});

it('a client that cannot be made is a Redis that does not answer', async () => {
  // As no URL can say it: the client throws where it is made.
  const target = { ...targetOf('redis+sentinel://127.0.0.1:1/primary'), sentinels: [] } as RedisTarget;
  const guard = openGuard(url, { target });
  expect(await guard.ask(ids(0, 2))).toEqual(times(2, 'unreachable'));
  // No code of a connection: there is none.
  expect(guard.told.cutOff).toEqual(['CLOSED']);
  await sleep(500); // Probes throw as well, and nobody is there to catch it.
  expect(await guard.ask(ids(2, 1))).toEqual(['unreachable']);
  guard.stop();
});

it('a Redis that was never there leaves the gateway to itself, at once', async () => {
  const guard = openGuard('redis://127.0.0.1:1');
  for (let i = 0; i < 50; i++) expect(await guard.ask(ids(i, 1))).toEqual(['unreachable']);
  expect(guard.told.cutOff).toEqual(['ECONNREFUSED']);
  expect(guard.told.asked).toBe(1);
  expect(guard.take(idOf('a'), Date.now() + 1_000)).toBe('first');
});
