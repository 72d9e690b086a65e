/** Who may use the admin listener: token holders, or without a token programs of this machine alone. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, until } from '../support/call.ts';
import { bearer, callersFile, oneKey, type TestCaller, type TestCallers } from '../support/callers.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { exchangeRaw, head } from '../support/raw-http.ts';

const TOKEN = 'CANARY-synthetic-token-0123456789';
const SUMMARY = '/admin/v1/status/summary';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'vigie-test-'));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

function tokenFile(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content, { mode: 0o600 });
  return path;
}

async function ask(port: number, ...headers: string[]): Promise<[status: number | undefined, body: string]> {
  const { answers } = await exchangeRaw(port, [head(`GET ${SUMMARY} HTTP/1.1`, ...headers)]);
  return [answers[0]?.status, answers[0]?.body ?? ''];
}

describe('with a token', () => {
  let gateway: Gateway;

  beforeAll(async () => {
    const env = { VIGIE_ADMIN_HOST: '0.0.0.0', VIGIE_ADMIN_TOKEN_FILE: tokenFile('good', `${TOKEN}\n`) };
    gateway = await startGateway({ env });
  });

  afterAll(() => gateway.dispose());

  it.each([
    ['the token', `Authorization: Bearer ${TOKEN}`, 200],
    ['the scheme in another case', `authorization: bearer ${TOKEN}`, 200],
    ['two spaces', `Authorization: Bearer  ${TOKEN}`, 200],
    ['nothing', 'X-A: b', 401],
    ['an empty header', 'Authorization: ', 401],
    ['the token without its scheme', `Authorization: ${TOKEN}`, 401],
    ['another scheme', `Authorization: Basic ${TOKEN}`, 401],
    ['the scheme alone', 'Authorization: Bearer', 401],
    ['a prefix of it', `Authorization: Bearer ${TOKEN.slice(0, -1)}`, 401],
    ['it and a letter', `Authorization: Bearer ${TOKEN}x`, 401],
    ['it in another case', `Authorization: Bearer ${TOKEN.toLowerCase()}`, 401],
    ['it and another', `Authorization: Bearer ${TOKEN} ${TOKEN}`, 401],
    ['it in the wrong header', `X-Authorization: Bearer ${TOKEN}`, 401],
  ])('%s: %s gives %i', async (_what, header, status) => {
    const [given, body] = await ask(gateway.adminPort, 'Host: vigie.example', header);
    expect(given).toBe(status);
    expect(body).not.toContain(TOKEN.slice(0, -1));
  });

  it('an Origin takes nothing from a token, and gives nothing without', async () => {
    const origin = 'Origin: https://console.example';
    const [given] = await ask(
      gateway.adminPort,
      'Host: vigie.example',
      `Authorization: Bearer ${TOKEN}`,
      origin,
    );
    expect(given).toBe(200);
    expect((await ask(gateway.adminPort, 'Host: vigie.example', origin))[0]).toBe(401);
  });

  it('a refusal names the scheme and nothing else', async () => {
    const answer = await call(`${gateway.admin.replace('0.0.0.0', '127.0.0.1')}${SUMMARY}`);
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(answer.json).toMatchObject({ type: 'unauthorized', status: 401 });
  });

  it('no call changes anything without it, and its body is not even looked at', async () => {
    const url = gateway.admin.replace('0.0.0.0', '127.0.0.1');
    const paths = ['status-changes', 'status-query', 'trust-list/reload', 'key-retirements'];
    for (const path of paths) {
      const answer = await call(`${url}/admin/v1/${path}`, { body: 'no JSON' });
      expect([path, answer.status]).toEqual([path, 401]);
    }
  });

  it('the token stands in no log', () => {
    expect(gateway.stderr()).not.toContain('CANARY');
    expect(gateway.stdout()).not.toContain('CANARY');
  });
});

describe('without a token', () => {
  let gateway: Gateway;

  beforeAll(async () => {
    gateway = await startGateway();
  });

  afterAll(() => gateway.dispose());

  it.each([
    ['127.0.0.1', 200],
    ['127.0.0.1:8081', 200],
    ['localhost', 200],
    ['LOCALHOST:1', 200],
    ['[::1]:8081', 200],
    ['rebound.example', 403],
    ['rebound.example:8081', 403],
    ['127.0.0.1.rebound.example', 403],
    ['localhost.rebound.example', 403],
    ['0.0.0.0', 403],
    ['127.0.0.1@rebound.example', 403],
  ])('a browser sent to the host %s gets %i', async (host, status) => {
    const [given, body] = await ask(gateway.adminPort, `Host: ${host}`);
    expect(given).toBe(status);
    if (status === 403) expect(JSON.parse(body).type).toBe('forbidden');
  });

  const ORIGINS = ['https://page.example', 'http://localhost:8081', 'null', ''];

  it.each(ORIGINS)('a page of the origin %j can set nothing going', async (origin) => {
    const post = (path: string, ...more: string[]): string =>
      head(`POST /admin/v1/${path} HTTP/1.1`, 'Host: localhost', 'Content-Length: 0', ...more);
    const from = `Origin: ${origin}`;
    // The one call that needs neither a content type nor a body, so that a browser asks nobody before it.
    const { answers } = await exchangeRaw(gateway.adminPort, [post('trust-list/reload', from)]);
    expect([answers[0]?.status, JSON.parse(answers[0]?.body ?? '').type]).toEqual([403, 'forbidden']);
    expect((await ask(gateway.adminPort, 'Host: localhost', from))[0]).toBe(403);
    const { answers: own } = await exchangeRaw(gateway.adminPort, [post('trust-list/reload')]);
    expect(own[0]?.status).toBe(200);
  });

  it('two Hosts are a framing fault, not a way around', async () => {
    const [status, body] = await ask(gateway.adminPort, 'Host: localhost', 'Host: rebound.example');
    expect([status, JSON.parse(body).type]).toEqual([400, 'bad-framing']);
  });
});

describe('a token file that cannot serve stops the start, with exit code 2 and one line', () => {
  const cases: [what: string, content: string | undefined][] = [
    ['is missing', undefined],
    ['is empty', ''],
    ['is too short', 'CANARY-short\n'],
    ['has two lines', `${TOKEN}\n${TOKEN}\n`],
    ['has a space', `${TOKEN} x\n`],
    ['is too long', 'CANARY'.repeat(400)],
  ];

  it.each(cases)('%s', async (what, content) => {
    const file = content === undefined ? join(directory, 'nowhere') : tokenFile(what, content);
    const failure = await startGateway({ env: { VIGIE_ADMIN_TOKEN_FILE: file } }).then(
      () => undefined,
      (error: Error) => error.message,
    );
    expect(failure).toContain('ended with 2 before it was ready');
    expect(failure).toMatch(/\nvigie: .*VIGIE_ADMIN_TOKEN_FILE[^\n]*\n$/);
    expect(failure).not.toContain('CANARY');
  });
});

describe('with users of their own', () => {
  const user = (name: string, scopes: TestCaller['scopes'], expiresAt?: number): TestCaller => ({
    name,
    scopes,
    keys: [oneKey(expiresAt)],
  });
  const READER = user('reader', ['read']);
  const STATUS = user('status-desk', ['status', 'read']);
  const TRUST = user('trust-desk', ['trust']);
  const FORMER = user('former', ['status', 'trust', 'read'], 1_700_000_000);
  let files: TestCallers;
  let gateway: Gateway;

  beforeAll(async () => {
    files = callersFile([READER, STATUS, TRUST, FORMER], 'admin');
    const token = { VIGIE_ADMIN_TOKEN_FILE: tokenFile('beside', `${TOKEN}\n`) };
    gateway = await startGateway({ env: { VIGIE_ADMIN_HOST: '0.0.0.0', ...files.env, ...token } });
  });

  afterAll(async () => {
    await gateway.dispose();
    files.dispose();
  });

  const CALLS: Record<string, (headers: Record<string, string>) => ReturnType<typeof call>> = {
    read: (headers) => call(`${gateway.admin}${SUMMARY}`, { headers }),
    query: (headers) =>
      call(`${gateway.admin}/admin/v1/status-query`, {
        body: { iss: 'https://a.example', jti: 'a' },
        headers,
      }),
    status: (headers) =>
      call(`${gateway.admin}/admin/v1/status-changes`, {
        body: { changes: [{ iss: 'https://a.example', jti: 'a', status: 'suspended' }] },
        headers,
      }),
    trust: (headers) => call(`${gateway.admin}/admin/v1/trust-list/reload`, { body: {}, headers }),
    retire: (headers) =>
      call(`${gateway.admin}/admin/v1/key-retirements`, {
        body: { iss: 'https://a.example', kid: 'a' },
        headers,
      }),
  };

  it.each<[string, Record<string, string>, Record<string, number>]>([
    ['a reader', bearer(READER), { read: 200, query: 200, status: 403, trust: 403, retire: 403 }],
    ['who changes statuses', bearer(STATUS), { read: 200, query: 200, status: 200, trust: 403, retire: 403 }],
    [
      'who changes what is trusted',
      bearer(TRUST),
      { read: 403, query: 403, status: 403, trust: 200, retire: 200 },
    ],
    ['a former user', bearer(FORMER), { read: 401, query: 401, status: 401, trust: 401, retire: 401 }],
    [
      'the one token',
      { authorization: `Bearer ${TOKEN}` },
      { read: 200, query: 200, status: 200, trust: 200, retire: 200 },
    ],
    ['nobody', {}, { read: 401, query: 401, status: 401, trust: 401, retire: 401 }],
  ])('%s may do what the scopes say', async (_, headers, expected) => {
    const got = await Promise.all(
      Object.keys(expected).map(async (name) => [name, (await CALLS[name]?.(headers))?.status]),
    );
    expect(Object.fromEntries(got)).toEqual(expected);
  });

  it('whoever is taken out of the file is refused from the next look on', async () => {
    files.write([STATUS]);
    await until(async () => (await CALLS.read?.(bearer(READER)))?.status === 401);
    expect((await CALLS.read?.(bearer(STATUS)))?.status).toBe(200);
  });
});
