import { afterEach, describe, expect, it } from 'vitest';
import { adminClient, heldToken } from '../../src/client/admin-client.ts';
import { type Scripted, type StubServer, startStub } from './stub-server.ts';

const TOKEN = 'synthetic-token-0123456789';
const CHANGE = { iss: 'https://issuer.invalid', jti: 'card-1', status: 'revoked', why: 'lost' } as const;
const DONE: Scripted = { status: 200, body: '{"seq":813}' };

let stub: StubServer | undefined;
afterEach(async () => {
  await stub?.close();
  stub = undefined;
});

async function clientOf(...script: readonly Scripted[]) {
  stub = await startStub(...script);
  return adminClient({
    baseUrl: stub.url,
    bearerToken: TOKEN,
    timeoutMs: 300,
    retry: { attempts: 3, baseDelayMs: 1, maxDelayMs: 2 },
  });
}
const problem = (status: number, members: object): Scripted => ({ status, body: JSON.stringify(members) });

describe('statusChanges', () => {
  it('sends the changes with a token and an idempotency key', async () => {
    const client = await clientOf(DONE);
    const outcome = await client.statusChanges({ changes: [CHANGE], idempotencyKey: 'key-1' });
    expect(outcome).toEqual({ kind: 'answer', value: { seq: 813 } });
    expect(stub?.asked[0]).toMatchObject({
      method: 'POST',
      path: '/admin/v1/status-changes',
      body: JSON.stringify({ changes: [CHANGE] }),
    });
    expect(stub?.asked[0]?.headers).toMatchObject({
      authorization: `Bearer ${TOKEN}`,
      'idempotency-key': 'key-1',
    });
  });

  it('repeats a lost answer and a 503 with the same key, which is random unless given', async () => {
    const client = await clientOf('cut', { status: 503 }, DONE);
    expect((await client.statusChanges({ changes: [CHANGE] })).kind).toBe('answer');
    const keys = stub?.asked.map(({ headers }) => headers['idempotency-key']) ?? [];
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(1);
    await client.statusChanges({ changes: [CHANGE] });
    expect(stub?.asked[3]?.headers['idempotency-key']).not.toBe(keys[0]);
  });

  it('gives up after its attempts', async () => {
    const client = await clientOf({ status: 503 });
    expect((await client.statusChanges({ changes: [CHANGE] })).kind).toBe('unavailable');
    expect(stub?.asked).toHaveLength(3);
  });

  it('never repeats a refusal', async () => {
    const client = await clientOf(problem(409, { type: 'revocation-final', title: 'Final' }));
    const outcome = await client.statusChanges({ changes: [CHANGE] });
    expect(outcome).toMatchObject({ kind: 'refused', problem: { status: 409, detail: 'Final' } });
    expect(heldToken(outcome)).toBeUndefined();
    expect(stub?.asked).toHaveLength(1);
  });

  it('shows the token of a held mass change and sends it back to confirm', async () => {
    const held = problem(409, { type: 'mass-change-held', title: 'Held', token: 'token-1' });
    const client = await clientOf(held, DONE);
    const outcome = await client.statusChanges({ changes: [CHANGE] });
    expect(heldToken(outcome)).toBe('token-1');
    await client.statusChanges({ changes: [CHANGE], confirm: 'token-1' });
    expect(stub?.asked[1]?.body).toBe(JSON.stringify({ changes: [CHANGE], confirm: 'token-1' }));
  });

  it('takes an answer without a sequence number for none', async () => {
    const client = await clientOf({ status: 200, body: '{}' });
    expect((await client.statusChanges({ changes: [CHANGE] })).kind).toBe('unavailable');
  });
});

describe('the other calls', () => {
  it('ask in the body, never in the URL', async () => {
    const client = await clientOf({ status: 200, body: '{"status":"suspended","why":"lost"}' });
    expect(await client.statusQuery(CHANGE.iss, CHANGE.jti)).toEqual({
      kind: 'answer',
      value: { status: 'suspended', why: 'lost' },
    });
    await client.reloadTrustList({ allowShrink: true });
    await client.retireKey('iss', 'kid');
    await client.statusSummary();
    await client.trustList();
    expect(stub?.asked.map(({ method, path, body }) => `${method} ${path} ${body}`)).toEqual([
      `POST /admin/v1/status-query {"iss":"${CHANGE.iss}","jti":"card-1"}`,
      'POST /admin/v1/trust-list/reload {"allowShrink":true}',
      'POST /admin/v1/key-retirements {"iss":"iss","kid":"kid"}',
      'GET /admin/v1/status/summary ',
      'GET /admin/v1/trust-list ',
    ]);
  });

  it('take a status that the contract does not know for no answer', async () => {
    const client = await clientOf({ status: 200, body: '{"status":"lost"}' });
    expect((await client.statusQuery('iss', 'jti')).kind).toBe('unavailable');
  });
});
