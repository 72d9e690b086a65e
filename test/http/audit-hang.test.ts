/** A gateway whose disk hangs under the trail of admin actions: it answers, verifies on, and ends when it is told to. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { call, scrape, verify } from '../support/call.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { credential, goodClaims, ISS } from '../support/synthetic-issuer.ts';

const DAY_MS = 24 * 3_600_000;

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { VIGIE_DRAIN_TIMEOUT_MS: '3000' } });
  // To open a pipe that nobody reads hangs as a disk does, in the same place; tomorrow's, if midnight comes.
  for (const atMs of [Date.now(), Date.now() + DAY_MS]) {
    const day = new Date(atMs).toISOString().slice(0, 10);
    execFileSync('mkfifo', [join(gateway.dataDir, 'audit', `admin-${day}.jsonl`)]);
  }
});
afterAll(() => gateway.dispose());

it('refuses what would change something, in time, and verifies on', async () => {
  const answer = await call<{ type: string }>(`${gateway.admin}/admin/v1/status-changes`, {
    body: { changes: [{ iss: ISS, jti: 'synthetic', status: 'revoked' }] },
  });
  expect([answer.status, answer.json.type.split(/[:/]/).at(-1)]).toEqual([503, 'audit-unavailable']);
  const good = credential({ payload: goodClaims({ jti: 'synthetic' }, Math.floor(Date.now() / 1000)) });
  expect((await verify(gateway.data, good)).reason).toBe('ok');
  expect((await scrape(gateway.metrics)).get('vigie_audit_failures_total{phase="asked"}')).toBe(1);
});

it('ends all the same, and says without what', async () => {
  gateway.signal('SIGTERM');
  expect(await gateway.ended).toEqual({ code: 0, signal: null });
  expect(gateway.stderr()).toContain('the audit trail still waits for its disk');
});
