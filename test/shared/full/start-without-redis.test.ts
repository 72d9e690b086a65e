/** A gateway that starts while Redis is away: by its own copy, whose age it knows, or by nothing. */
import { afterEach, expect, it } from 'vitest';
import { call, type ProblemAnswer, verify } from '../../support/call.ts';
import {
  acknowledged,
  answered,
  card,
  change,
  type Deployment,
  deploy,
  fresh,
} from '../../support/deployment.ts';

let deployment: Deployment;
afterEach(() => deployment.dispose());

it('a gateway starts from its own copy with Redis down, says how old that is, and acknowledges nothing', async () => {
  deployment = await deploy();
  const a = await deployment.start('a');
  await fresh([a]);
  await acknowledged(a, 'kept');
  a.signal('SIGTERM');
  expect(await a.ended).toEqual({ code: 0, signal: null });
  deployment.redis.signal('SIGKILL');
  await new Promise((resolve) => setTimeout(resolve, 5_500));
  const again = await deployment.start('a');
  expect(await verify(again.data, card('kept'))).toMatchObject({
    reason: 'revoked',
    revocation: { state: 'stale' },
  });
  const good = await verify(again.data, card('good'));
  expect(good).toMatchObject({ reason: 'ok', revocation: { state: 'stale' } });
  expect(good.revocation.ageMs).toBeGreaterThan(5_500);
  expect((await call(`${again.data}/readyz`)).status).toBe(200);
  const refused = await change(again, 'not-now', 'revoked');
  expect([refused.status, (refused.json as unknown as ProblemAnswer).cause]).toEqual([
    503,
    'log-unreachable',
  ]);
  // Without a copy nothing can be said of a card at all.
  const brandNew = await deployment.start('new');
  expect((await verify(brandNew.data, card('good'))).reason).toBe('revocation_stale');
  expect((await call(`${brandNew.data}/readyz`)).status).toBe(503);
  await deployment.redis.restart();
  await fresh([again, brandNew], 30);
  await answered([again, brandNew], 'kept', 'revoked');
}, 90_000);
