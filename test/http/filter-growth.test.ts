/** A filter that has become too small is replaced in a running gateway, and every worker reads the new one. */
import { expect, it } from 'vitest';
import { call, reasonOf, scrape, until } from '../support/call.ts';
import { startGateway } from '../support/gateway.ts';
import { credential, goodClaims, ISS } from '../support/synthetic-issuer.ts';

const NOW = Math.floor(Date.now() / 1000);
const card = (jti: string): string => credential({ payload: goodClaims({ jti }, NOW) });

it('is replaced without a revocation forgotten', async (test) => {
  const gateway = await startGateway({ env: { VIGIE_FILTER_CAPACITY: '1000', VIGIE_WORKERS: '2' } });
  test.onTestFinished(() => gateway.dispose());
  const revoke = (names: readonly string[]) =>
    call(`${gateway.admin}/admin/v1/status-changes`, {
      body: { changes: names.map((jti) => ({ iss: ISS, jti, status: 'revoked' })) },
    });
  const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
  expect((await revoke(names('first', 1_000))).status).toBe(200);
  expect((await revoke(names('second', 500))).status).toBe(200);
  const capacity = async () => (await scrape(gateway.metrics)).get('vigie_filter_capacity_entries') ?? 0;
  expect(await capacity()).toBe(1_000);
  await until(async () => (await capacity()) > 1_000);
  expect(await capacity()).toBe(2_250);
  expect((await revoke(['afterwards'])).status).toBe(200);
  for (const jti of ['first-0', 'first-999', 'second-499', 'afterwards']) {
    for (let i = 0; i < 4; i++) expect(await reasonOf(gateway.data, card(jti))).toBe('revoked');
  }
  expect(await reasonOf(gateway.data, card('unheard-of'))).toBe('ok');
});
