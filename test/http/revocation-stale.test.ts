/** A gateway that loses its status store: what it knows stands, and what it cannot know it does not claim. */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { call, changeStatus, type ProblemAnswer, scrape, until, verify } from '../support/call.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { credential, goodClaims, ISS } from '../support/synthetic-issuer.ts';

const NOW = Math.floor(Date.now() / 1000);
const card = (jti: string): string => credential({ payload: goodClaims({ jti }, NOW) });

let gateway: Gateway;
let store: string;

beforeAll(async () => {
  gateway = await startGateway({ env: { VIGIE_REVOCATION_MAX_AGE_SECONDS: '7' } });
  store = join(gateway.dataDir, 'status');
  await changeStatus(gateway.admin, { iss: ISS, jti: 'revoked', status: 'revoked' });
  await changeStatus(gateway.admin, { iss: ISS, jti: 'suspended', status: 'suspended' });
});

afterAll(() => gateway.dispose());

it('is fresh, then stale, then expired, and comes back', async () => {
  expect(await verify(gateway.data, card('good'))).toMatchObject({
    reason: 'ok',
    revocation: { state: 'fresh' },
  });

  renameSync(store, `${store}.gone`);
  // A revocation that cannot be made durable is not acknowledged.
  const changes = [{ iss: ISS, jti: 'late', status: 'revoked' }];
  const refused = await call<ProblemAnswer>(`${gateway.admin}/admin/v1/status-changes`, {
    body: { changes },
  });
  expect([refused.status, refused.json.type]).toEqual([503, 'status-unavailable']);
  expect(refused.headers.get('retry-after')).toMatch(/^[123]$/);

  await until(async () => (await verify(gateway.data, card('good'))).revocation.state === 'stale');
  const stale = await verify(gateway.data, card('good'));
  expect(stale.reason).toBe('ok');
  expect(stale.revocation.ageMs).toBeGreaterThan(5_000);
  expect((await call(`${gateway.data}/readyz`)).status).toBe(200);

  await until(async () => (await verify(gateway.data, card('good'))).reason === 'revocation_stale');
  expect(await verify(gateway.data, card('good'))).toMatchObject({
    verdict: 'indeterminate',
    action: 'retry',
    revocation: { state: 'expired' },
  });
  // What is known stands in every state.
  expect((await verify(gateway.data, card('revoked'))).reason).toBe('revoked');
  expect((await verify(gateway.data, card('suspended'))).reason).toBe('suspended');
  const unready = await call<ProblemAnswer>(`${gateway.data}/readyz`);
  expect([unready.status, unready.json.reasons]).toEqual([503, ['revocation_too_old']]);
  expect(unready.headers.get('retry-after')).toMatch(/^[123]$/);
  expect((await scrape(gateway.metrics)).get('vigie_ready')).toBe(0);
  const bytes = await call(`${gateway.data}/v1/verify/batch`, {
    body: { credentials: [card('good')] },
    headers: { accept: 'application/octet-stream' },
  });
  expect([...bytes.bytes]).toEqual([16]);
  expect(bytes.headers.get('vigie-revocation')).toMatch(/^state=expired, seq=2, age-ms=\d+$/);

  renameSync(`${store}.gone`, store);
  await until(async () => (await verify(gateway.data, card('good'))).reason === 'ok');
  expect((await verify(gateway.data, card('revoked'))).reason).toBe('revoked');
  expect((await call(`${gateway.data}/readyz`)).status).toBe(200);
  await changeStatus(gateway.admin, { iss: ISS, jti: 'late', status: 'revoked' });
  expect((await verify(gateway.data, card('late'))).reason).toBe('revoked');
});
