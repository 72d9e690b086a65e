/** Every refusal of the data listener as a problem document (RFC 9457), and the request id on every answer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Call, call, type ProblemAnswer, scrape } from '../support/call.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { exchangeRaw, head } from '../support/raw-http.ts';

const CANARY = 'PROBLEM-CANARY';

let gateway: Gateway;

beforeAll(async () => {
  gateway = await startGateway();
});

afterAll(() => gateway.dispose());

function ask(path: string, options?: Call): Promise<Answer<ProblemAnswer>> {
  return call<ProblemAnswer>(gateway.data + path, options);
}

const json = (body: unknown): Call => ({ body });
const item = (member: object) => json({ credentials: ['a', member] });
const at = '2026-06-01T00:00:00Z';

const REFUSALS: readonly (readonly [what: string, path: string, call: Call, status: number, type: string])[] =
  [
    ['no JSON', '/v1/verify', json('{'), 400, 'bad-envelope'],
    ['an empty body', '/v1/verify', json(''), 400, 'bad-envelope'],
    ['a byte order mark', '/v1/verify', json('\ufeff{"credential":"a"}'), 400, 'bad-envelope'],
    ['UTF-16', '/v1/verify', json(Buffer.from('{"credential":"a"}', 'utf16le')), 400, 'bad-envelope'],
    ['invalid UTF-8', '/v1/verify', json(Buffer.of(0x22, 0xff, 0x22)), 400, 'bad-envelope'],
    ['a name twice', '/v1/verify', json('{"credential":"a","credential":"a"}'), 400, 'bad-envelope'],
    [
      '33 levels',
      '/v1/verify',
      json(`{"credential":${'['.repeat(32)}${']'.repeat(32)}}`),
      400,
      'bad-envelope',
    ],
    ['20,000 levels', '/v1/verify', json('['.repeat(20_000)), 400, 'bad-envelope'],
    ['an array', '/v1/verify', json([]), 400, 'bad-envelope'],
    ['an unknown member', '/v1/verify', json({ credential: 'a', [CANARY]: 1 }), 400, 'bad-envelope'],
    ['__proto__', '/v1/verify', json('{"credential":"a","__proto__":{}}'), 400, 'bad-envelope'],
    ['no credential', '/v1/verify', json({}), 400, 'bad-envelope'],
    ['a number for a credential', '/v1/verify', json({ credential: 1 }), 400, 'bad-envelope'],
    ['an array for a credential', '/v1/verify', json({ credential: [CANARY] }), 400, 'bad-envelope'],
    [
      'a proof that is no text',
      '/v1/verify',
      json({ credential: 'a', holderProof: [CANARY] }),
      400,
      'bad-envelope',
    ],
    [
      'a nonce that is no text',
      '/v1/verify',
      json({ credential: 'a', nonce: { [CANARY]: 1 } }),
      400,
      'bad-envelope',
    ],
    ['a proof alone', '/v1/verify', json({ holderProof: CANARY }), 400, 'bad-envelope'],
    ['an unknown channel', '/v1/verify', json({ credential: 'a', channel: CANARY }), 400, 'bad-envelope'],
    ['the channel remote', '/v1/verify', json({ credential: 'a', channel: 'remote' }), 400, 'bad-envelope'],
    ['a time of its own', '/v1/verify', json({ credential: 'a', at }), 403, 'forbidden'],
    ['a batch as a single', '/v1/verify', json({ credentials: ['a'] }), 400, 'bad-envelope'],
    ['a single as a batch', '/v1/verify/batch', json({ credential: 'a' }), 400, 'bad-envelope'],
    ['credentials that are none', '/v1/verify/batch', json({ credentials: CANARY }), 400, 'bad-envelope'],
    ['an item of another type', '/v1/verify/batch', json({ credentials: ['a', 1] }), 400, 'bad-envelope'],
    ['an item without a credential', '/v1/verify/batch', item({}), 400, 'bad-envelope'],
    [
      'an item with an audience',
      '/v1/verify/batch',
      item({ credential: 'a', audience: 'p' }),
      400,
      'bad-envelope',
    ],
    [
      'an item with a proof that is no text',
      '/v1/verify/batch',
      item({ credential: 'a', holderProof: null }),
      400,
      'bad-envelope',
    ],
    [
      'a batch with an audience',
      '/v1/verify/batch',
      json({ credentials: [], audience: 'p' }),
      400,
      'bad-envelope',
    ],
    [
      '10,001 items',
      '/v1/verify/batch',
      json({ credentials: Array(10_001).fill('a') }),
      413,
      'too-many-items',
    ],
    [
      '10,001 lines',
      '/v1/verify/batch',
      { body: 'a\n'.repeat(10_001), type: 'text/plain' },
      413,
      'too-many-items',
    ],
    [
      '64 KiB and a byte',
      '/v1/verify',
      { body: 'a'.repeat(65_537), type: 'text/plain' },
      413,
      'body-too-large',
    ],
    ['the same as JSON', '/v1/verify', json(`{"credential":"${'a'.repeat(65_520)}"}`), 413, 'body-too-large'],
    [
      '16 MiB and a byte',
      '/v1/verify/batch',
      { body: Buffer.alloc(16_777_217, 'a'), type: 'text/plain' },
      413,
      'body-too-large',
    ],
    ['an SD-JWT', '/v1/verify', { body: 'a', type: 'application/dc+sd-jwt' }, 415, 'unsupported-media-type'],
    ['a CWT', '/v1/verify', { body: 'a', type: 'application/cwt' }, 415, 'unsupported-media-type'],
    ['a form', '/v1/verify', { body: 'a', type: 'multipart/form-data' }, 415, 'unsupported-media-type'],
    [
      'JSON in Latin-1',
      '/v1/verify',
      { body: '{}', type: 'application/json; charset=latin1' },
      415,
      'unsupported-media-type',
    ],
    [
      'a JWT as a batch',
      '/v1/verify/batch',
      { body: 'a', type: 'application/jwt' },
      415,
      'unsupported-media-type',
    ],
    [
      'NDJSON as a batch',
      '/v1/verify/batch',
      { body: '"a"', type: 'application/x-ndjson' },
      415,
      'unsupported-media-type',
    ],
    [
      'gzip',
      '/v1/verify',
      { body: Buffer.of(0x1f, 0x8b), headers: { 'content-encoding': 'gzip' } },
      415,
      'unsupported-content-encoding',
    ],
    [
      'identity',
      '/v1/verify',
      { body: '{}', headers: { 'content-encoding': 'identity' } },
      415,
      'unsupported-content-encoding',
    ],
    ['an unknown path', `/v1/${CANARY}`, {}, 404, 'not-found'],
    ['the root', '/', {}, 404, 'not-found'],
    ['a POST to nowhere', '/v1/verify/', json({ credential: 'a' }), 404, 'not-found'],
    ['GET where POST belongs', '/v1/verify', {}, 405, 'method-not-allowed'],
    ['POST where GET belongs', '/healthz', json({}), 405, 'method-not-allowed'],
    ['PUT', '/v1/verify', { ...json({ credential: 'a' }), method: 'PUT' }, 405, 'method-not-allowed'],
    ['DELETE', '/v1/verify/batch', { method: 'DELETE' }, 405, 'method-not-allowed'],
    [
      'a body on GET that is announced',
      '/v1/verify',
      { ...json({}), method: 'PATCH' },
      405,
      'method-not-allowed',
    ],
  ];

describe('a refusal', () => {
  it.each(REFUSALS)('%s', async (_what, path, options, status, type) => {
    const answer = await ask(path, {
      ...options,
      headers: { ...options.headers, 'x-request-id': 'my-id-1' },
    });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'application/problem+json']);
    expect(answer.json).toMatchObject({ type, status });
    expect(Object.keys(answer.json)).toEqual(['type', 'title', 'status', 'detail']);
    expect([typeof answer.json.title, typeof answer.json.detail]).toEqual(['string', 'string']);
    expect(answer.json.detail).not.toBe('');
    expect(answer.headers.get('x-request-id')).toBe('my-id-1');
    expect(answer.text).not.toContain(CANARY);
    expect(await ask('/healthz')).toMatchObject({ status: 200, text: '{"alive":true}' });
  });

  it('names the member that is wrong', async () => {
    const detail = async (path: string, body: unknown): Promise<string> =>
      (await ask(path, { body })).json.detail;
    expect(await detail('/v1/verify', { credential: 'a', holderProof: 1 })).toContain('holderProof');
    expect(await detail('/v1/verify', { credential: 'a', nonce: 1 })).toContain('nonce');
    expect(await detail('/v1/verify', { credential: 'a', channel: 'remote' })).toContain('nonce');
    expect(await detail('/v1/verify', { credential: 1 })).toContain('credential');
    expect(await detail('/v1/verify/batch', { credentials: ['a', 7] })).toContain('credentials[1]');
  });

  it('says what would be accepted: methods in Allow, types in Accept', async () => {
    expect((await ask('/v1/verify')).headers.get('allow')).toBe('POST');
    expect((await ask('/readyz', { method: 'DELETE' })).headers.get('allow')).toBe('GET, HEAD');
    const untyped = await ask('/v1/verify', { body: 'a', type: 'application/cwt' });
    expect(untyped.headers.get('accept')).toBe('application/json, application/jwt, text/plain');
  });

  it('without any content type is 415', async () => {
    const request = `${head('POST /v1/verify HTTP/1.1', 'Host: x', 'Content-Length: 2')}{}`;
    const { answers } = await exchangeRaw(gateway.dataPort, [request]);
    expect(answers[0]?.status).toBe(415);
  });
});

describe('the request id', () => {
  it('is echoed on an answer as on a refusal', async () => {
    const sent = { 'x-request-id': 'till-7/2026-11-23#1' };
    const answered = await ask('/v1/verify', { body: { credential: '' }, headers: sent });
    expect([answered.status, answered.headers.get('x-request-id')]).toEqual([200, sent['x-request-id']]);
  });

  it.each(['', 'a b', 'x'.repeat(129), 'é'])('%j is not: the gateway makes one', async (id) => {
    const answer = await ask('/healthz', { headers: { 'x-request-id': id } });
    expect(answer.headers.get('x-request-id')).toMatch(/^[A-Za-z0-9_-]{12}-[0-9a-z]+$/);
  });

  it('sent twice is not', async () => {
    const request = head('GET /healthz HTTP/1.1', 'Host: x', 'X-Request-Id: a', 'X-Request-Id: b');
    const { answers } = await exchangeRaw(gateway.dataPort, [request]);
    expect(answers[0]?.headers['x-request-id']).toMatch(/^[A-Za-z0-9_-]{12}-[0-9a-z]+$/);
  });

  it('differs from answer to answer', async () => {
    const ids = await Promise.all(
      Array.from({ length: 50 }, async () => (await ask('/healthz')).headers.get('x-request-id')),
    );
    expect(new Set(ids).size).toBe(50);
  });
});

describe('what any caller may read', () => {
  it('GET /readyz', async () => {
    const answer = await call(`${gateway.data}/readyz`);
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ ready: true, revocation: { state: 'fresh', seq: 0 } });
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('GET /healthz and /readyz on the metrics listener too', async () => {
    expect((await call(`${gateway.metrics}/healthz`)).text).toBe('{"alive":true}');
    expect((await call(`${gateway.metrics}/readyz`)).status).toBe(200);
    expect((await call(`${gateway.metrics}/v1/verify`, { body: { credential: '' } })).status).toBe(404);
  });

  it('GET /v1/openapi.json: every path, reason and problem that there is', async () => {
    const { json } = await call<{
      openapi: string;
      paths: object;
      components: { schemas: Record<string, unknown> };
    }>(`${gateway.data}/v1/openapi.json`);
    expect(json.openapi).toBe('3.1.0');
    expect(Object.keys(json.paths)).toEqual(
      expect.arrayContaining(['/v1/verify', '/v1/verify/batch', '/healthz', '/readyz', '/v1/openapi.json']),
    );
    const text = JSON.stringify(json);
    for (const [, , , , type] of REFUSALS) expect(text).toContain(`"${type}"`);
    const refs = [...text.matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g)];
    expect(refs.length).toBeGreaterThan(10);
    for (const [, group, name] of refs) {
      expect((json.components as Record<string, object>)[group as string]).toHaveProperty(name as string);
    }
  });
});

it('refusals are counted by status, and none was an unexpected error', async () => {
  const samples = await scrape(gateway.metrics);
  const count = (route: string, status: number): number | undefined =>
    samples.get(`vigie_requests_total{route="${route}",status="${status}"}`);
  const expected = (path: string, status: number): number =>
    REFUSALS.filter(([, where, , code]) => where === path && code === status).length;
  expect(count('verify_batch', 400)).toBe(expected('/v1/verify/batch', 400) + 1);
  expect(count('verify', 403)).toBe(1);
  expect(count('verify_batch', 413)).toBe(expected('/v1/verify/batch', 413));
  expect(count('verify', 413)).toBe(2);
  expect(samples.get('vigie_unexpected_errors_total')).toBe(0);
  expect(gateway.stderr()).not.toContain(CANARY);
});
