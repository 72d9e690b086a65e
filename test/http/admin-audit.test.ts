/** The audit trail as real gateways write it: who did what, before it is done, and nothing in plain form. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { audited } from '../../src/admin/admin-audit.ts';
import type { Exchange } from '../../src/ingress/exchange.ts';
import { cardHash, holderHash } from '../../src/revocation/card-hash.ts';
import { loadDeploymentSecret } from '../../src/revocation/deployment-secret.ts';
import { runVigie } from '../cli/run-vigie.ts';
import { type AuditLine, auditLines, auditText } from '../support/audit-lines.ts';
import { call, until } from '../support/call.ts';
import { bearer, callersFile, oneKey, type TestCaller, type TestCallers } from '../support/callers.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { ISS } from '../support/synthetic-issuer.ts';

const CANARY = 'AUDIT-CANARY-4711';
/** Opaque, as proxies make them: others are not written down. */
const REQUEST_ID = '0123456789abcdef'.repeat(2);
const DESK: TestCaller = { name: 'lost-phones', scopes: ['status', 'read'], keys: [oneKey()] };
const TRUST: TestCaller = { name: 'trust-keeper', scopes: ['trust'], keys: [oneKey()] };

let files: TestCallers;
let gateway: Gateway;
beforeAll(async () => {
  files = callersFile([DESK, TRUST], 'admin');
  gateway = await startGateway({ env: { ...files.env, VIGIE_MASS_CHANGE_LIMIT: '40' } });
});
afterAll(async () => {
  await gateway.dispose();
  files.dispose();
});

const trail = (): AuditLine[] => auditLines(gateway.dataDir, 'admin');
const lastOf = async (what: string, phase: string, from = 0): Promise<AuditLine> => {
  const matching = () =>
    trail().filter((line) => line.what === what && line.phase === phase && line.n > from);
  await until(() => matching().length > 0);
  return matching().at(-1) as AuditLine;
};

const change = (changes: object[], headers = bearer(DESK), confirm?: string) =>
  call<{ seq: number; token: string }>(`${gateway.admin}/admin/v1/status-changes`, {
    body: { changes, ...(confirm !== undefined && { confirm }) },
    headers: { ...headers, 'x-request-id': REQUEST_ID },
  });

describe('a change', () => {
  it('stands there twice: asked for, and what came of it', async () => {
    const changes = Array.from({ length: 30 }, (_, index) => ({
      iss: ISS,
      jti: `${CANARY}-${index}`,
      status: 'revoked',
    }));
    const { json } = await change(changes);
    const asked = await lastOf('status-changes', 'asked');
    const done = await lastOf('status-changes', 'done');
    expect(asked).toMatchObject({ who: DESK.name, count: 30, requestId: REQUEST_ID });
    expect(asked.hashes).toHaveLength(30);
    const secret = loadDeploymentSecret(files.env.VIGIE_SECRET_FILE as string);
    if (!secret.ok) throw new Error(secret.message);
    expect(asked).toMatchObject({ revoke: 30 });
    expect(asked).not.toHaveProperty('kinds');
    expect(asked.hashes?.[0]).toBe(cardHash(secret.secret.cardHashKey, ISS, `${CANARY}-0`).toString('hex'));
    expect(done).toMatchObject({ who: DESK.name, of: asked.n, outcome: 'applied', seq: json.seq });
    expect(done.n).toBeGreaterThan(asked.n);
  });

  it('that is refused for what it is stands there as well', async () => {
    const from = trail().at(-1)?.n ?? 0;
    expect((await change([{ iss: ISS, jti: `${CANARY}-0`, status: 'active' }])).status).toBe(409);
    expect(await lastOf('status-changes', 'done', from)).toMatchObject({ outcome: 'revocation-final' });
  });

  it('is told by its kinds, for each card where they differ, and whether it was confirmed', async () => {
    const from = trail().at(-1)?.n ?? 0;
    const card = (jti: string, status: string) => ({ iss: ISS, jti: `${CANARY}-${jti}`, status });
    const sub = `${CANARY}-holder`;
    const mixed = [card('mixed', 'suspended'), { iss: ISS, sub, issuedBefore: 1 }, card('other', 'active')];
    const many = Array.from({ length: 20 }, (_, index) => card(`many-${index}`, 'revoked'));
    expect((await change(mixed)).status).toBe(200);
    expect(await lastOf('status-changes', 'asked', from)).toMatchObject({
      suspend: 1,
      supersede: 1,
      reinstate: 1,
      kinds: ['suspend', 'supersede', 'reinstate'],
    });
    const held = await change(many);
    expect(held.status).toBe(409);
    expect((await change(many, bearer(DESK), held.json.token)).status).toBe(200);
    const confirmed = trail().filter((line) => line.n > from && line.confirmed === true);
    expect(confirmed).toMatchObject([{ phase: 'asked', revoke: 20 }]);
    await change([card('mixed', 'active')]);
    const env = { VIGIE_SECRET_FILE: files.env.VIGIE_SECRET_FILE as string };
    const args = ['audit', 'card', '--json', '--data-dir', gateway.dataDir, '--iss', ISS];
    const ran = await runVigie([...args, '--jti', `${CANARY}-mixed`], { env });
    const asked = JSON.parse(ran.stdout).actions.filter(({ phase }: AuditLine) => phase === 'asked');
    expect(asked).toMatchObject([
      { who: DESK.name, kind: 'suspend' },
      { who: DESK.name, kind: 'reinstate' },
    ]);
    expect(asked[0]).not.toHaveProperty('supersede');
  });

  it('of the trust list that may take one that is smaller says so', async () => {
    await call(`${gateway.admin}/admin/v1/trust-list/reload`, {
      body: { allowShrink: true },
      headers: bearer(TRUST),
    });
    expect(await lastOf('trust-list-reload', 'asked')).toMatchObject({ who: TRUST.name, allowShrink: true });
  });

  it('that throws has its end there as well', async () => {
    const told: object[] = [];
    const audit = { append: async (entry: object) => told.push(entry) };
    const exchange = { caller: undefined, loggableId: undefined } as unknown as Exchange;
    const run = () => Promise.reject(new Error('synthetic'));
    await expect(audited(audit, exchange, { what: 'filter-rebuild' }, run)).rejects.toThrow('synthetic');
    expect(told).toMatchObject([{ phase: 'asked' }, { phase: 'done', of: 1, outcome: 'failed' }]);
  });

  it('of whoever may not is none: nothing stands there', async () => {
    const before = trail().length;
    const reload = await call(`${gateway.admin}/admin/v1/trust-list/reload`, {
      body: {},
      headers: bearer(DESK),
    });
    expect(reload.status).toBe(403);
    expect((await change([], { authorization: 'Bearer nobody' })).status).toBe(401);
    expect(trail()).toHaveLength(before);
  });
});

it('a look at a card stands there once', async () => {
  await call(`${gateway.admin}/admin/v1/status-query`, {
    body: { iss: ISS, jti: `${CANARY}-1` },
    headers: bearer(DESK),
  });
  expect(await lastOf('status-query', 'look')).toMatchObject({
    who: DESK.name,
    outcome: 'answered',
    count: 1,
  });
  const from = trail().at(-1)?.n ?? 0;
  const sub = `${CANARY}-holder`;
  await call(`${gateway.admin}/admin/v1/status-query`, { body: { iss: ISS, sub }, headers: bearer(DESK) });
  const secret = loadDeploymentSecret(files.env.VIGIE_SECRET_FILE as string);
  if (!secret.ok) throw new Error(secret.message);
  const hash = holderHash(secret.secret.cardHashKey, ISS, sub).toString('hex');
  expect(await lastOf('status-query', 'look', from)).toMatchObject({ hashes: [hash] });
});

it('nothing of it is in plain form, and all of it follows', async () => {
  const text = auditText(gateway.dataDir, 'admin');
  expect(text).not.toContain(CANARY);
  expect(text).not.toContain(ISS);
  expect(text).not.toContain(DESK.keys[0]?.accessKey);
  const numbers = trail().map(({ n }) => n);
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
});
