/** The audit trail as real gateways write it: who did what, before it is done, and nothing in plain form. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cardHash } from '../../src/revocation/card-hash.ts';
import { loadDeploymentSecret } from '../../src/revocation/deployment-secret.ts';
import { type AuditLine, auditLines, auditText } from '../support/audit-lines.ts';
import { call, until } from '../support/call.ts';
import { bearer, callersFile, oneKey, type TestCaller, type TestCallers } from '../support/callers.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { ISS } from '../support/synthetic-issuer.ts';

const CANARY = 'AUDIT-CANARY-4711';
/** Opaque, as proxies make them: others are not written down. */
const REQUEST_ID = '0123456789abcdef'.repeat(2);
const DESK: TestCaller = { name: 'lost-phones', scopes: ['status', 'read'], keys: [oneKey()] };

let files: TestCallers;
let gateway: Gateway;
beforeAll(async () => {
  files = callersFile([DESK], 'admin');
  gateway = await startGateway({ env: files.env });
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

const change = (changes: object[], headers = bearer(DESK)) =>
  call<{ seq: number }>(`${gateway.admin}/admin/v1/status-changes`, {
    body: { changes },
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
    expect(asked.hashes?.[0]).toBe(cardHash(secret.secret.cardHashKey, ISS, `${CANARY}-0`).toString('hex'));
    expect(done).toMatchObject({ who: DESK.name, of: asked.n, outcome: 'applied', seq: json.seq });
    expect(done.n).toBeGreaterThan(asked.n);
  });

  it('that is refused for what it is stands there as well', async () => {
    const from = trail().at(-1)?.n ?? 0;
    expect((await change([{ iss: ISS, jti: `${CANARY}-0`, status: 'active' }])).status).toBe(409);
    expect(await lastOf('status-changes', 'done', from)).toMatchObject({ outcome: 'revocation-final' });
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
  expect(await lastOf('status-query', 'done')).toMatchObject({
    who: DESK.name,
    outcome: 'answered',
    count: 1,
  });
});

it('nothing of it is in plain form, and all of it follows', async () => {
  const text = auditText(gateway.dataDir, 'admin');
  expect(text).not.toContain(CANARY);
  expect(text).not.toContain(ISS);
  expect(text).not.toContain(DESK.keys[0]?.accessKey);
  const numbers = trail().map(({ n }) => n);
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
});
