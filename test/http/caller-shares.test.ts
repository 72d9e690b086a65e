/** Fairness by caller: whoever has ten times the connections, from the same address as all others, leaves them served. */
import { expect, it } from 'vitest';
import { AskingClient, post } from '../support/asking-client.ts';
import { scrape, until } from '../support/call.ts';
import { bearer, callersFile, oneKey, type TestCaller } from '../support/callers.ts';
import { startGateway } from '../support/gateway.ts';
import { credential, goodClaims } from '../support/synthetic-issuer.ts';

const GOOD = credential({ payload: goodClaims({}, Math.floor(Date.now() / 1000)) });
const caller = (name: string): TestCaller => ({ name, scopes: ['verify'], keys: [oneKey()] });
const HOG = caller('hog');
const OTHERS = Array.from({ length: 9 }, (_, i) => caller(`other-${i}`));
const HOG_CONNECTIONS = 10 * OTHERS.length;

const requestOf = (who: TestCaller): string =>
  post('/v1/verify', JSON.stringify({ credential: GOOD }), `Authorization: ${bearer(who).authorization}`);

it('beside a caller with ten times the connections, the others are served', {
  timeout: 180_000,
}, async () => {
  const files = callersFile([HOG, ...OTHERS]);
  // Slow enough for an overload by a few connections.
  const slow = { VIGIE_ENGINE: 'noble', VIGIE_QUEUE_TARGET_MS: '50' };
  const gateway = await startGateway({ env: { ...files.env, ...slow } });
  const served = new Map<TestCaller, number>();
  const refused = new Map<TestCaller, number>();
  const count = (of: Map<TestCaller, number>, who: TestCaller): void =>
    void of.set(who, (of.get(who) ?? 0) + 1);
  const total = (of: Map<TestCaller, number>): number =>
    OTHERS.reduce((sum, who) => sum + (of.get(who) ?? 0), 0);
  let isOver = false;
  const keepAsking = async (who: TestCaller): Promise<void> => {
    const client = await AskingClient.from('127.0.0.1', gateway.dataPort);
    const request = requestOf(who);
    // Nobody's share is known before the first calls.
    if (who !== HOG) for (let i = 0; i < 3; i++) await client.ask(request);
    while (!isOver) {
      const { status } = await client.ask(request);
      expect([200, 503]).toContain(status);
      count(status === 200 ? served : refused, who);
      if (who !== HOG) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    client.leave();
  };
  const asking = Array.from({ length: HOG_CONNECTIONS }, () => keepAsking(HOG));
  await until(() => (refused.get(HOG) ?? 0) > 50);
  asking.push(...OTHERS.map(keepAsking));
  await until(() => total(served) + total(refused) > 120);
  isOver = true;
  await Promise.all(asking);

  expect(served.get(HOG)).toBeGreaterThan(0);
  for (const who of OTHERS) expect(served.get(who)).toBeGreaterThan(0);
  expect(total(refused) / (total(served) + total(refused))).toBeLessThan(0.05);
  // Shed for want of capacity, not for a quota: nobody has one.
  const samples = await scrape(gateway.metrics);
  expect(samples.get('vigie_refused_callers_total{why="quota"}')).toBe(0);
  expect(samples.get('vigie_shed_total{what="single",why="share"}')).toBeGreaterThan(0);
  await gateway.dispose();
  files.dispose();
});
