import { afterEach, describe, expect, it } from 'vitest';
import { gatewayClient } from '../../src/client/gateway-client.ts';
import { type Scripted, type StubServer, startStub, unusedUrl } from './stub-server.ts';

const VALID = { verdict: 'valid', reason: 'ok', action: 'bill', credential: { claims: {} } };
const EXPIRED = { verdict: 'invalid', reason: 'expired', action: 'refresh_app' };

let stub: StubServer | undefined;
afterEach(async () => {
  await stub?.close();
  stub = undefined;
});

async function clientOf(...script: readonly Scripted[]) {
  stub = await startStub(...script);
  return gatewayClient({ baseUrl: stub.url, timeoutMs: 300 });
}
const json = (value: unknown, status = 200): Scripted => ({ status, body: JSON.stringify(value) });

describe('verify', () => {
  it('posts the envelope and gives the answer whole', async () => {
    const client = await clientOf(json(VALID));
    const outcome = await client.verify({ credential: 'a.b.c', audience: 'pharmacy' });
    expect(outcome).toEqual({
      kind: 'answer',
      value: { verdict: 'valid', reason: 'ok', action: 'bill', document: VALID },
    });
    expect(stub?.asked[0]).toMatchObject({
      method: 'POST',
      path: '/v1/verify',
      body: '{"credential":"a.b.c","audience":"pharmacy"}',
    });
    expect(stub?.asked[0]?.headers['content-type']).toBe('application/json');
  });

  it('posts what the phone proved and how, and nothing that was not named', async () => {
    const client = await clientOf(json(VALID));
    const request = { credential: 'a.b.c', holderProof: 'd.e.f', audience: 'p', nonce: 'n' } as const;
    const at = '2026-11-26T08:00:00Z';
    await client.verify({ ...request, channel: 'remote', at });
    await client.verify({ credential: 'a.b.c', holderProof: undefined, nonce: undefined });
    const sent = stub?.asked.map(({ body }) => JSON.parse(body));
    expect(sent).toEqual([{ ...request, channel: 'remote', at }, { credential: 'a.b.c' }]);
  });

  it.each([
    ['a verdict that is not its reason’s', { ...VALID, verdict: 'invalid' }],
    ['an action that is not its reason’s', { ...EXPIRED, action: 'bill' }],
    ['a reason that nobody knows', { ...VALID, reason: 'fine' }],
    ['no object', ['ok']],
  ])('takes %s for no answer at all', async (_what, document) => {
    const client = await clientOf(json(document));
    expect((await client.verify({ credential: 'x' })).kind).toBe('unavailable');
  });

  it('takes an answer with a repeated member for no answer', async () => {
    const text = '{"verdict":"invalid","verdict":"valid","reason":"ok","action":"bill"}';
    const client = await clientOf({ status: 200, body: text });
    expect((await client.verify({ credential: 'x' })).kind).toBe('unavailable');
  });

  it('tells a refusal by its problem document', async () => {
    const problem = { type: 'body-too-large', title: 'Too large', status: 413, detail: 'at most 64 KiB' };
    const client = await clientOf(json(problem, 413));
    expect(await client.verify({ credential: 'x' })).toEqual({ kind: 'refused', problem });
  });

  it('takes a refusal without a problem document for another server', async () => {
    const client = await clientOf({ status: 404, body: '<h1>Not found</h1>' });
    expect(await client.verify({ credential: 'x' })).toEqual({
      kind: 'unavailable',
      detail: `${stub?.url} answered 404: is it a Vigie gateway?`,
    });
  });

  it.each([429, 500, 503])('takes %i for unavailable, with the wait it asks for', async (status) => {
    const headers = { 'retry-after': '2' };
    const client = await clientOf({ status, headers, body: '' });
    expect(await client.verify({ credential: 'x' })).toEqual({
      kind: 'unavailable',
      detail: `${stub?.url} answered ${status}`,
      retryAfterMs: 2000,
    });
  });

  it('gives up at its deadline', async () => {
    const client = await clientOf('hang');
    expect(await client.verify({ credential: 'x' })).toEqual({
      kind: 'unavailable',
      detail: `${stub?.url}: no answer within 300 ms`,
    });
  });

  it('says when nothing listens', async () => {
    const url = await unusedUrl();
    const outcome = await gatewayClient({ baseUrl: url }).verify({ credential: 'x' });
    expect(outcome).toEqual({ kind: 'unavailable', detail: `${url}: nothing listens there` });
  });

  it('follows no redirect', async () => {
    const target = await startStub(json(VALID));
    const client = await clientOf({ status: 307, headers: { location: `${target.url}/v1/verify` } });
    const outcome = await client.verify({ credential: 'x' });
    expect(outcome).toEqual({
      kind: 'unavailable',
      detail: `${stub?.url}: redirects, which is not followed`,
    });
    expect(target.asked).toHaveLength(0);
    await target.close();
  });
});

describe('batches', () => {
  it('gives the answers in the order sent', async () => {
    const client = await clientOf(json({ results: [VALID, EXPIRED], summary: {} }));
    const outcome = await client.verifyBatch(['one', 'two']);
    expect(outcome.kind === 'answer' && outcome.value.map(({ reason }) => reason)).toEqual(['ok', 'expired']);
    expect(stub?.asked[0]).toMatchObject({ path: '/v1/verify/batch', body: '{"credentials":["one","two"]}' });
  });

  it('takes credentials with and without proofs', async () => {
    const client = await clientOf(json({ results: [VALID, EXPIRED] }), {
      status: 200,
      body: Buffer.from([0, 9]),
    });
    const items = ['one', { credential: 'two', holderProof: 'a.b.c' }];
    expect((await client.verifyBatch(items)).kind).toBe('answer');
    expect((await client.verifyBatchCodes(items)).kind).toBe('answer');
    for (const { body } of stub?.asked ?? []) expect(JSON.parse(body)).toEqual({ credentials: items });
    expect(stub?.asked).toHaveLength(2);
  });

  it.each([
    ['fewer', [VALID]],
    ['more', [VALID, VALID, VALID]],
    ['broken', [VALID, { ...VALID, reason: 'fine' }]],
  ])('takes %s results for no answer', async (_what, results) => {
    const client = await clientOf(json({ results }));
    expect((await client.verifyBatch(['one', 'two'])).kind).toBe('unavailable');
  });

  it('reads codes, a byte an item', async () => {
    const client = await clientOf({ status: 200, body: Buffer.from([0, 9]) });
    const outcome = await client.verifyBatchCodes(['one', 'two']);
    expect(outcome.kind === 'answer' && [...outcome.value]).toEqual([0, 9]);
    expect(stub?.asked[0]?.headers.accept).toBe('application/octet-stream');
  });

  it.each([
    ['too few codes', [0]],
    ['a code that no reason has', [0, 21]],
  ])('takes %s for no answer', async (_what, codes) => {
    const client = await clientOf({ status: 200, body: Buffer.from(codes) });
    expect((await client.verifyBatchCodes(['one', 'two'])).kind).toBe('unavailable');
  });
});

describe('health and readiness', () => {
  it('knows ready, not ready, and nobody there', async () => {
    const client = await clientOf(
      json({ alive: true }),
      json({ ready: true }),
      json({ detail: 'starting' }, 503),
    );
    expect(await client.health()).toEqual({ kind: 'answer', value: true });
    expect(await client.ready()).toMatchObject({ kind: 'answer', value: { ready: true } });
    expect(await client.ready()).toEqual({
      kind: 'answer',
      value: { ready: false, detail: '{"detail":"starting"}' },
    });
    const nobody = gatewayClient({ baseUrl: await unusedUrl() });
    expect((await nobody.ready()).kind).toBe('unavailable');
  });
});
