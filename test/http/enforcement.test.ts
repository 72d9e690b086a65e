/** How long changes take to be enforced by a gateway on its own, as its metrics tell it. */
import { expect, it } from 'vitest';
import { call, scrape } from '../support/call.ts';
import { startGateway } from '../support/gateway.ts';
import { ISS } from '../support/synthetic-issuer.ts';

it('the enforcement of each change is timed, and what changes nothing is not', async ({ onTestFinished }) => {
  const gateway = await startGateway();
  onTestFinished(gateway.dispose);
  const count = async () => (await scrape(gateway.metrics)).get('vigie_revocation_enforcement_seconds_count');
  expect(await count()).toBe(0);
  const changes = ['a', 'b', 'c'].map((jti) => ({ iss: ISS, jti, status: 'revoked' }));
  for (let times = 0; times < 2; times++) {
    const answer = await call(`${gateway.admin}/admin/v1/status-changes`, { body: { changes } });
    expect(answer.status).toBe(200);
    expect(await count()).toBe(3);
  }
  const samples = await scrape(gateway.metrics);
  expect(samples.get('vigie_revocation_enforcement_seconds_sum')).toBeGreaterThan(0);
  for (const bound of ['0.01', '0.1', '1', '5']) {
    expect(samples.has(`vigie_revocation_enforcement_seconds_bucket{le="${bound}"}`)).toBe(true);
  }
});
