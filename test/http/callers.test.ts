/** Callers of the data listener: who is let in, for what, and how much, by real calls. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, call, type ProblemAnswer, scrape, until, type VerdictAnswer } from '../support/call.ts';
import { bearer, callersFile, oneKey, type TestCaller, type TestCallers } from '../support/callers.ts';
import { type Gateway, logLines, startGateway } from '../support/gateway.ts';
import { exchangeRaw, head } from '../support/raw-http.ts';
import { credential, goodClaims } from '../support/synthetic-issuer.ts';

const NOW = Math.floor(Date.now() / 1000);
const GOOD = credential({ payload: goodClaims({}, NOW) });

const ALL: TestCaller = {
  name: 'all',
  scopes: ['verify', 'batch', 'lots', 'at'],
  keys: [oneKey(), oneKey()],
};
const SINGLES: TestCaller = { name: 'singles', scopes: ['verify'], keys: [oneKey()] };
const BATCHES: TestCaller = { name: 'batches', scopes: ['batch'], keys: [oneKey()] };
const ENDED: TestCaller = { name: 'ended', scopes: ['verify'], keys: [oneKey(NOW - 1), oneKey(NOW + 3_600)] };
/** One every hundred seconds: nothing comes back while a test runs. */
const SLOW: TestCaller = {
  name: 'slow',
  scopes: ['verify'],
  quota: { perSecond: 0.01, burst: 5 },
  keys: [oneKey()],
};
const LOTS: TestCaller = {
  name: 'measured',
  scopes: ['batch', 'lots'],
  quota: { perSecond: 0.1, burst: 10_000 },
  keys: [oneKey()],
};
const CALLERS = [ALL, SINGLES, BATCHES, ENDED, SLOW, LOTS];

/** All that a gateway can be made to say. */
const TALKATIVE = { VIGIE_LOG_LEVEL: 'trace', VIGIE_ACCESS_LOG_ONE_IN: '1' };

let files: TestCallers;
let gateway: Gateway;

beforeAll(async () => {
  files = callersFile(CALLERS);
  gateway = await startGateway({ env: { ...files.env, VIGIE_WORKERS: '2', ...TALKATIVE } });
});
afterAll(async () => {
  await gateway.dispose();
  files.dispose();
});

const verify = (
  headers: Record<string, string>,
  more: object = {},
): Promise<Answer<VerdictAnswer & ProblemAnswer>> =>
  call(`${gateway.data}/v1/verify`, { body: { credential: GOOD, ...more }, headers });
const batch = (headers: Record<string, string>, items: number) =>
  call<{ results: unknown[] } & ProblemAnswer>(`${gateway.data}/v1/verify/batch`, {
    body: `${GOOD}\n`.repeat(items),
    type: 'text/plain',
    headers: { accept: 'application/octet-stream', ...headers },
  });

describe('a caller', () => {
  it('with a key in force is served, whichever of two it is', async () => {
    for (const which of [0, 1]) {
      const answer = await verify(bearer(ALL, which));
      expect(answer.status).toBe(200);
      expect(answer.json.reason).toBe('ok');
    }
    // RFC 9110 section 11.1: the scheme in any case.
    expect((await verify({ authorization: `bearer ${ALL.keys[0]?.accessKey}` })).status).toBe(200);
  });

  it.each<[string, Record<string, string>]>([
    ['without a key', {}],
    ['with a key that was never made', { authorization: `Bearer ${oneKey().accessKey}` }],
    [
      'with a key whose last character is another',
      { authorization: `${bearer(ALL).authorization}`.replace(/.$/, (last) => (last === '-' ? '_' : '-')) },
    ],
    ['with a key in another scheme', { authorization: `Basic ${ALL.keys[0]?.accessKey}` }],
    ['with a key that has ended', bearer(ENDED)],
    ['with a name alone', { authorization: 'Bearer all' }],
  ])('%s gets 401', async (_, headers) => {
    const answer = await verify(headers);
    expect(answer.status).toBe(401);
    expect(answer.json.type).toBe('unauthorized');
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(answer.headers.get('x-request-id')).toBeTruthy();
    expect(await verify(bearer(ENDED, 1))).toMatchObject({ status: 200 });
  });

  it('that names two keys is badly framed', async () => {
    const lines = [0, 1].map((which) => `Authorization: ${bearer(ALL, which).authorization}`);
    const request = head('POST /v1/verify HTTP/1.1', 'Host: a', 'Content-Length: 0', ...lines);
    const { answers, closed } = await exchangeRaw(gateway.dataPort, [request], { untilClosed: true });
    expect(answers[0]?.status).toBe(400);
    expect(closed).toBe(true);
  });

  it('is asked for no key where nothing is verified', async () => {
    for (const path of ['/healthz', '/readyz', '/v1/openapi.json']) {
      expect((await call(`${gateway.data}${path}`)).status).toBe(200);
    }
  });
});

describe('scopes', () => {
  it.each<[string, () => Promise<{ status: number; json: { type: string } }>]>([
    ['batch', () => batch(bearer(SINGLES), 2)],
    ['verify', () => verify(bearer(BATCHES))],
    ['lots', () => batch(bearer(BATCHES), 1_001)],
    ['at', () => verify(bearer(SINGLES), { at: '2026-01-01T00:00:00Z' })],
  ])('%s is needed for it: 403', async (_, ask) => {
    const answer = await ask();
    expect(answer.status).toBe(403);
    expect(answer.json.type).toBe('forbidden');
  });

  it('open what they name', async () => {
    expect((await batch(bearer(BATCHES), 1_000)).status).toBe(200);
    expect((await batch(bearer(ALL), 1_001)).status).toBe(200);
    expect((await verify(bearer(ALL), { at: '2020-01-01T00:00:00Z' })).status).toBe(200);
  });
});

describe('quotas', () => {
  it('end after the burst with 429 and a time to come back, by however many connections', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => verify(bearer(SLOW))));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array(5).fill(200), ...Array(15).fill(429)]);
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.json.type).toBe('quota-exceeded');
    const after = Number(refused?.headers.get('retry-after'));
    expect(after).toBeGreaterThan(50);
    expect(after).toBeLessThanOrEqual(100);
    // Nobody else suffers for it.
    expect((await verify(bearer(ALL))).status).toBe(200);
  });

  it('count a batch by its items', async () => {
    expect((await batch(bearer(LOTS), 6_000)).status).toBe(200);
    expect((await batch(bearer(LOTS), 3_900)).status).toBe(200);
    expect((await batch(bearer(LOTS), 9_000)).status).toBe(429);
  });
});

describe('what is counted', () => {
  it('stands by caller, and names nobody that the file does not', async () => {
    const samples = await scrape(gateway.metrics);
    expect(samples.get('vigie_caller_credentials_total{caller="measured"}')).toBe(9_900);
    expect(samples.get('vigie_caller_refused_total{caller="slow",why="quota"}')).toBe(15);
    expect(samples.get('vigie_caller_refused_total{caller="singles",why="scope"}')).toBeGreaterThan(0);
    expect(samples.get('vigie_refused_callers_total{why="missing"}')).toBeGreaterThan(0);
    const named = [...samples.keys()].flatMap((name) => /caller="([^"]+)"/.exec(name)?.[1] ?? []);
    expect(new Set(named)).toEqual(new Set(CALLERS.map(({ name }) => name)));
  });

  it('and no key, in force, ended or guessed, stands in any log, metric, answer or file', async () => {
    const guessed = oneKey().accessKey;
    const mistyped = `${guessed.slice(0, -1)}-`;
    const sent = [
      guessed,
      mistyped,
      ...CALLERS.flatMap(({ keys }) => keys.map(({ accessKey }) => accessKey)),
    ];
    const answers = [];
    for (const accessKey of sent) {
      for (const scheme of ['Bearer', 'Basic']) {
        const answer = await verify({ authorization: `${scheme} ${accessKey}` });
        answers.push(answer.text + JSON.stringify([...answer.headers]));
      }
    }
    const metrics = await call(`${gateway.metrics}/metrics`);
    const told = [gateway.stderr(), gateway.stdout(), metrics.text, ...answers].join('\n');
    const dirs = [gateway.dataDir, dirname(files.file)];
    for (const accessKey of sent) {
      // The part that is secret; the checksum behind it may be cut off.
      const secret = accessKey.slice('vigie_'.length, -8);
      expect(told).not.toContain(secret);
      expect(spawnSync('grep', ['-rlaF', '--', secret, ...dirs]).stdout.toString()).toBe('');
    }
    expect(spawnSync('grep', ['-rlaF', '"measured"', ...dirs]).stdout.toString()).toContain(files.file);
  });

  it('is described by the OpenAPI document, answers and headers', async () => {
    const { json } = await call<{
      paths: Record<
        string,
        { post?: { security: object[]; responses: Record<string, { headers: object }> } }
      >;
      components: { securitySchemes: object };
    }>(`${gateway.data}/v1/openapi.json`);
    expect(json.components.securitySchemes).toMatchObject({ accessKey: { type: 'http', scheme: 'bearer' } });
    const posts = Object.values(json.paths).flatMap(({ post }) => (post === undefined ? [] : [post]));
    expect(posts).toHaveLength(2);
    for (const { security, responses } of posts) {
      expect(security).toEqual([{}, { accessKey: [] }]);
      expect(responses[401]?.headers).toHaveProperty('www-authenticate');
      expect(responses[403]).toBeDefined();
      for (const status of [429, 503]) expect(responses[status]?.headers).toHaveProperty('retry-after');
    }
  });
});

describe('a file that changes while the gateway runs', () => {
  const LATER: TestCaller = { name: 'later', scopes: ['verify'], keys: [oneKey()] };

  it('is taken: who is new is let in, who is gone is not, and nobody loses a call in between', async () => {
    files.write([...CALLERS, LATER]);
    await until(async () => (await verify(bearer(LATER))).status === 200);
    files.write([ALL, { ...LATER, keys: [] }]);
    await until(async () => (await verify(bearer(LATER))).status === 401);
    expect((await verify(bearer(SINGLES))).status).toBe(401);
    expect((await verify(bearer(ALL))).status).toBe(200);
  });

  it('is left out of force when it is wrong, and said so once', async () => {
    writeFileSync(files.file, '{"callers":[{"name":"secret-name-4711"}]}');
    const faulty = 'vigie_callers_file_faulty{listener="data"}';
    await until(async () => (await scrape(gateway.metrics)).get(faulty) === 1);
    expect((await verify(bearer(ALL))).status).toBe(200);
    files.write([ALL, LATER]);
    await until(async () => (await scrape(gateway.metrics)).get(faulty) === 0);
    await until(async () => (await verify(bearer(LATER))).status === 200);
    const refused = logLines(gateway).filter(({ msg }) => msg.includes('is refused'));
    expect(refused).toHaveLength(1);
    expect(gateway.stderr()).not.toContain('secret-name-4711');
  });
});

describe('a start', () => {
  it.each<[string, Record<string, string>, string]>([
    ['keys without a file', { VIGIE_AUTH: 'keys' }, 'VIGIE_AUTH=keys needs VIGIE_CALLERS_FILE'],
    ['a file without keys', { VIGIE_CALLERS_FILE: '/nowhere' }, 'VIGIE_CALLERS_FILE is for VIGIE_AUTH=keys'],
    [
      'a file that is not there',
      { VIGIE_AUTH: 'keys', VIGIE_CALLERS_FILE: '/nowhere' },
      '/nowhere: no such file',
    ],
  ])('with %s is refused', async (_, env, line) => {
    await expect(startGateway({ env })).rejects.toThrow(line);
  });
});
