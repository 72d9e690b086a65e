/** The filter is rebuilt by command in a running gateway, and leaves out what expired long ago. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { deriveSecret } from '../../src/revocation/deployment-secret.ts';
import { createFreshness } from '../../src/revocation/freshness.ts';
import { createStatusChanges } from '../../src/revocation/status-changes.ts';
import { openStatusStore } from '../../src/revocation/status-store.ts';
import { runVigie } from '../cli/run-vigie.ts';
import { call, changeStatus, reasonOf, scrape } from '../support/call.ts';
import { startGateway } from '../support/gateway.ts';
import { credential, goodClaims, ISS } from '../support/synthetic-issuer.ts';

const MASTER = Buffer.alloc(32, 0x5a);
const DAY_MS = 86_400_000;
const FILTER = { capacity: 100_000, falsePositiveRate: 1e-6 };
const THEN_MS = Date.now() - 90 * DAY_MS;
const EXPIRY = Math.floor(THEN_MS / 1000) + 3_600;

/** A data directory with revocations of ninety days ago, of which `old-…` named an expiry an hour later. */
async function filledDirectory(parent: string): Promise<string> {
  const dataDir = join(parent, 'data');
  mkdirSync(dataDir, { mode: 0o700 });
  writeFileSync(join(dataDir, 'secret'), `${MASTER.toString('hex')}\n`, { mode: 0o600 });
  const clock = { wallMs: () => THEN_MS, monotonicMs: () => performance.now() };
  const secret = deriveSecret(MASTER);
  const opened = await openStatusStore({ dir: join(dataDir, 'status'), secret, clock, filter: FILTER });
  if (!opened.ok) throw new Error(opened.message);
  const { store } = opened;
  const bounds = { massChangeLimit: 10_000, massChangeWindowMs: 600_000, maxIdempotencyAnswers: 1_000 };
  const freshness = createFreshness(clock, { staleAfterMs: 5_000, expireAfterMs: DAY_MS });
  const { applyChanges } = createStatusChanges({ store, freshness, clock, ...bounds });
  const old = Array.from({ length: 2_000 }, (_, i) => ({ jti: `old-${i}`, expiresAt: EXPIRY }));
  const named = [{ jti: 'named-too-early', expiresAt: EXPIRY - 7_200 }, { jti: 'unnamed' }];
  const changes = [...old, ...named].map((card) => ({ iss: ISS, status: 'revoked' as const, ...card }));
  expect(applyChanges({ changes }).outcome).toBe('applied');
  await store.close();
  return dataDir;
}

it('knows no card any more that expired long ago, and forgets none', async (test) => {
  const parent = mkdtempSync(join(tmpdir(), 'vigie-test-'));
  test.onTestFinished(() => rmSync(parent, { recursive: true, force: true }));
  const dataDir = await filledDirectory(parent);
  const start = async () => {
    const env = { VIGIE_FILTER_CAPACITY: '100000', VIGIE_WORKERS: '2' };
    const gateway = await startGateway({ dataDir, env });
    test.onTestFinished(() => gateway.dispose());
    return gateway;
  };
  const statusOf = async (admin: string, jti: string) => {
    const { json } = await call<{ status: string }>(`${admin}/admin/v1/status-query`, {
      body: { iss: ISS, jti },
    });
    return json.status;
  };
  const now = () => Math.floor(Date.now() / 1000);
  const card = (jti: string, more = {}) =>
    credential({ payload: { ...goodClaims({ jti }, now()), ...more } });
  const checks = async (gateway: { data: string; admin: string }) => {
    for (const jti of ['named-too-early', 'unnamed', 'today']) {
      for (let i = 0; i < 4; i++) expect(await reasonOf(gateway.data, card(jti))).toBe('revoked');
      expect(await statusOf(gateway.admin, jti)).toBe('revoked');
    }
    expect(await reasonOf(gateway.data, card('old-0', { iat: EXPIRY - 60, exp: EXPIRY }))).toBe('expired');
    for (const jti of ['old-0', 'old-1999']) expect(await statusOf(gateway.admin, jti)).toBe('revoked');
    expect(await statusOf(gateway.admin, 'unheard-of')).toBe('active');
  };

  const gateway = await start();
  await changeStatus(gateway.admin, { iss: ISS, jti: 'today', status: 'revoked' });
  expect((await scrape(gateway.metrics)).get('vigie_filter_entries')).toBe(2_003);
  const url = `${gateway.admin}/admin/v1/status/filter-rebuilds`;
  const [one, other] = await Promise.all([call(url, { method: 'POST' }), call(url, { body: {} })]);
  const refused = [one, other].find(({ status }) => status !== 200);
  // They may have come one after the other.
  if (refused) expect([refused.status, refused.json]).toMatchObject([409, { cause: 'busy' }]);
  const rebuilt = await runVigie(['status', 'rebuild-filter', '--url', gateway.admin, '--json']);
  expect([rebuilt.code, rebuilt.stderr]).toEqual([0, '']);
  expect(JSON.parse(rebuilt.stdout)).toMatchObject({
    before: { entries: 3 },
    after: { entries: 3, capacity: 100_000 },
  });
  const words = await runVigie(['status', 'rebuild-filter', '--url', gateway.admin]);
  expect(words.stdout.split('\n').map((line) => line.trim().split(/ {2,}/))).toContainEqual([
    'entries',
    '3',
    '3',
  ]);
  expect((await scrape(gateway.metrics)).get('vigie_filter_entries')).toBe(3);
  expect((await call(url, { body: { now: true } })).status).toBe(400);
  await checks(gateway);
  const summary = await call<{ revoked: number; filter: { leftOutBefore: string } }>(
    `${gateway.admin}/admin/v1/status/summary`,
  );
  expect(summary.json.revoked).toBe(2_003);
  expect(Date.parse(summary.json.filter.leftOutBefore)).toBeLessThan(Date.now() - 30 * DAY_MS);
  gateway.signal('SIGKILL');
  await gateway.ended;

  const again = await start();
  expect((await scrape(again.metrics)).get('vigie_filter_entries')).toBe(3);
  await checks(again);
});
