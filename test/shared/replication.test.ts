/** Three gateways on one Redis: what one acknowledges, all enforce within a second. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { call, type ProblemAnswer, scrape, until } from '../support/call.ts';
import { acknowledged, answered, change, type Deployment, deploy, fresh } from '../support/deployment.ts';
import type { Gateway } from '../support/gateway.ts';
import { ISS, KID } from '../support/synthetic-issuer.ts';

/** What is promised of acknowledged changes on other gateways. */
const WITHIN_MS = 1_000;

let deployment: Deployment;
let all: Gateway[];
let [a, b, c]: Gateway[] = [];
const gateway = (one: Gateway | undefined): Gateway => one as Gateway;

beforeAll(async () => {
  deployment = await deploy();
  all = await Promise.all(['a', 'b', 'c'].map((name) => deployment.start(name)));
  [a, b, c] = all;
  expect(['revocation_too_old']).toEqual(
    (await call<ProblemAnswer>(`${gateway(a).data}/readyz`)).json.reasons,
  );
  await fresh(all);
}, 60_000);

afterAll(() => deployment.dispose());

it('revokes, suspends and reinstates on every gateway', async () => {
  for (let i = 0; i < 5; i++) {
    await acknowledged(gateway(all[i % 3]), `revoked-${i}`);
    await answered(all, `revoked-${i}`, 'revoked', WITHIN_MS);
  }
  await acknowledged(gateway(b), 'lent', 'suspended');
  await answered(all, 'lent', 'suspended', WITHIN_MS);
  await acknowledged(gateway(c), 'lent', 'active');
  await answered(all, 'lent', 'ok', WITHIN_MS);
  const final = await change(gateway(c), 'revoked-0', 'active');
  expect(final.status).toBe(409);
  await answered(all, 'revoked-0', 'revoked');
});

it('applies a repeated call once, wherever it is repeated', async () => {
  const first = await change(gateway(a), 'once', 'suspended', 'key-once');
  await acknowledged(gateway(b), 'between');
  await acknowledged(gateway(b), 'once', 'active');
  const again = await change(gateway(c), 'once', 'suspended', 'key-once');
  expect([first.status, again.status, again.json.seq]).toEqual([200, 200, first.json.seq]);
  await answered(all, 'once', 'ok');
  const other = await change(gateway(c), 'another', 'suspended', 'key-once');
  expect(other.status).toBe(422);
});

it('changes asked of all gateways at once are all applied, in one order', async () => {
  const calls = Array.from({ length: 60 }, (_, i) => acknowledged(gateway(all[i % 3]), `crowd-${i}`));
  const seqs = await Promise.all(calls);
  expect(new Set(seqs).size).toBe(60);
  for (let i = 0; i < 60; i++) await answered(all, `crowd-${i}`, 'revoked');
});

it('does not count the card of the canary, whichever gateway recorded it', async () => {
  const strict = await deployment.start('strict-before-canary', { VIGIE_MASS_CHANGE_LIMIT: '1' });
  await fresh([strict]);
  const seqAt = async ({ metrics }: Gateway) => Number((await scrape(metrics)).get('vigie_revocation_seq'));
  const before = await seqAt(gateway(a));
  await until(async () => (await seqAt(strict)) === before);
  // An empty value counts as not set: tests' gateways have no canary otherwise.
  await deployment.start('with-canary', { VIGIE_CANARY: '', VIGIE_CANARY_INTERVAL_MS: '100' });
  await until(async () => (await seqAt(strict)) === before + 1);
  await acknowledged(strict, 'beside-the-canary');
  expect((await change(strict, 'one-too-many', 'revoked')).status).toBe(409);
});

it('counts changes of all gateways towards the mass-change hold', async () => {
  const strict = await deployment.start('strict', { VIGIE_MASS_CHANGE_LIMIT: '1' });
  await fresh([strict]);
  // It followed none of the changes before; this one it does.
  await acknowledged(gateway(a), 'counted-elsewhere');
  await answered([strict], 'counted-elsewhere', 'revoked');
  const held = await change(strict, 'one-more', 'revoked');
  const problem = held.json as unknown as ProblemAnswer & { readonly token: string };
  expect([held.status, problem.type]).toEqual([409, 'mass-change-held']);

  // The token binds the changes, not the gateway: another one applies them, and all enforce them.
  const other = await deployment.start('strict-too', { VIGIE_MASS_CHANGE_LIMIT: '1' });
  await fresh([other]);
  const confirm = (token: string, jti: string) =>
    call(`${other.admin}/admin/v1/status-changes`, {
      body: { changes: [{ iss: ISS, jti, status: 'revoked' }], confirm: token },
    });
  await acknowledged(gateway(a), 'counted-elsewhere-too');
  await answered([other], 'counted-elsewhere-too', 'revoked');
  expect((await confirm(problem.token, 'another-one')).status).toBe(409);
  expect((await confirm(problem.token, 'one-more')).status).toBe(200);
  await answered([strict, other, gateway(a)], 'one-more', 'revoked');
});

it('shows how the copy and the log stand', async () => {
  const samples = await scrape(gateway(b).metrics);
  expect(samples.get('vigie_revocation_log_state{state="following"}')).toBe(1);
  expect(samples.get('vigie_revocation_lag_records')).toBe(0);
  expect(samples.get('vigie_revocation_enforcement_seconds_count')).toBeGreaterThan(60);
  expect(samples.get('vigie_redis_calls_total{call="follow",result="ok"}')).toBeGreaterThan(10);
  const summary = await call<{ replication: { state: string }; freshness: { state: string } }>(
    `${gateway(b).admin}/admin/v1/status/summary`,
  );
  expect([summary.json.replication.state, summary.json.freshness.state]).toEqual(['following', 'fresh']);
});

it('times the enforcement of what is changed while it is there, not of what it catches up with', async () => {
  const before = await deployment.start('late');
  await fresh([before]);
  before.signal('SIGTERM');
  await before.ended;
  const seq = await acknowledged(gateway(a), 'meanwhile');
  const late = await deployment.start('late');
  await answered([late], 'meanwhile', 'revoked', 15_000);
  const samples = async () => scrape(late.metrics);
  await until(async () => Number((await samples()).get('vigie_revocation_seq')) >= seq);
  expect((await samples()).get('vigie_revocation_enforcement_seconds_count')).toBe(0);
  await acknowledged(gateway(a), 'seen-at-once');
  await answered([late], 'seen-at-once', 'revoked');
  await until(async () => (await samples()).get('vigie_revocation_enforcement_seconds_count') === 1);
});

it('withdraws an issuer key on every gateway', async () => {
  await answered(all, 'good', 'ok');
  const retired = await call(`${gateway(b).admin}/admin/v1/key-retirements`, {
    body: { iss: ISS, kid: KID },
  });
  expect(retired.status).toBe(200);
  await answered(all, 'good', 'key_not_active', WITHIN_MS);
});
