/** An error in whatever answers a call: that call is answered 500, nobody else notices, and the thread stays. */
import { expect, it } from 'vitest';
import { BODY, restartsFor, startWithFault, threadsOf } from '../support/broken-worker.ts';
import { call, scrape } from '../support/call.ts';

it('a handler that throws is answered 500, singles and batches alike; the process and its threads live', async (test) => {
  const { gateway, strike, heal } = await startWithFault(test, 'handler-throws');
  const before = await threadsOf(gateway);
  const { credential } = JSON.parse(BODY) as { credential: string };
  const single = () => call(`${gateway.data}/v1/verify`, { body: BODY });
  const batch = () => call(`${gateway.data}/v1/verify/batch`, { body: { credentials: [credential] } });
  expect([(await single()).status, (await batch()).status]).toEqual([200, 200]);
  strike();
  for (let round = 0; round < 20; round++) {
    for (const answer of await Promise.all([single(), single(), batch()])) {
      expect([answer.status, answer.json.type]).toEqual([500, 'internal-error']);
      expect(answer.text).not.toContain('CANARY');
    }
    expect((await call(`${gateway.data}/healthz`)).status).toBe(200);
  }
  heal();
  expect([(await single()).status, (await batch()).status]).toEqual([200, 200]);
  // The same threads as before: none was replaced.
  expect(await threadsOf(gateway)).toEqual(before);
  for (const why of ['exit', 'uncaught', 'silent']) expect(await restartsFor(gateway, why)).toBe(0);
  expect((await scrape(gateway.metrics)).get('vigie_unexpected_errors_total')).toBeGreaterThanOrEqual(60);
  expect(gateway.stderr()).not.toContain('CANARY');
  gateway.signal('SIGTERM');
  expect(await gateway.ended).toEqual({ code: 0, signal: null });
});
