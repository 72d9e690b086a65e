/** The trust list of a running gateway: reload, guards, refresh at an unknown key, retirement, staleness. */

import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'vitest';
import { type Answer, call, type ProblemAnswer, reasonOf, scrape, until, verify } from '../support/call.ts';
import { type Gateway, type GatewayOptions, listedIssuer, startGateway } from '../support/gateway.ts';
import { credential, goodClaims, ISS, SIGNER, signerOf } from '../support/synthetic-issuer.ts';

const NOW = Math.floor(Date.now() / 1000);
const SECOND = signerOf('a second key', 'second');
const OTHERS = ['https://b.example', 'https://c.example', 'https://d.example'];

const card = (signer = SIGNER, more: object = {}): string =>
  credential({ payload: goodClaims({ ...more }, NOW), signer });

function list(version: number, signers = [SIGNER], isses: readonly string[] = []): object {
  return { version, issuers: [listedIssuer({}, signers), ...isses.map((iss) => listedIssuer({ iss }))] };
}

async function start({ onTestFinished }: TestContext, options?: GatewayOptions): Promise<Gateway> {
  const gateway = await startGateway(options);
  onTestFinished(() => gateway.dispose());
  return gateway;
}

function publish(gateway: Gateway, document: unknown): void {
  const text = typeof document === 'string' ? document : JSON.stringify(document);
  writeFileSync(gateway.trustListFile, text);
}

interface Reloaded extends ProblemAnswer {
  readonly version: number;
}

function reload(gateway: Gateway, body?: object): Promise<Answer<Reloaded>> {
  const url = `${gateway.admin}/admin/v1/trust-list/reload`;
  return call<Reloaded>(url, body === undefined ? { method: 'POST' } : { body });
}

/** In the place of a status: takes requests and never answers. */
const HANGS = 0;

/** A list server on loopback whose answer the test may change. */
async function serveList({ onTestFinished }: TestContext, first: object) {
  const served = { status: 200, body: JSON.stringify(first), requests: 0 };
  const server: Server = createServer((_request, response) => {
    served.requests++;
    if (served.status !== HANGS)
      response.writeHead(served.status, { 'content-type': 'application/json' }).end(served.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  onTestFinished(close);
  return { served, close, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/list` };
}

describe.concurrent('a reload', () => {
  it('takes version 1 after version 0, which is a version like any other', async (test) => {
    const { expect } = test;
    const gateway = await start(test, { trustList: list(0) });
    expect(await verify(gateway.data, card())).toMatchObject({
      reason: 'ok',
      key: { kid: '2026-a', set: 0 },
    });
    const answer = await call(`${gateway.data}/v1/verify/batch`, { body: { credentials: [card()] } });
    expect(answer.json.key).toEqual({ set: 0 });
    expect((await call(`${gateway.admin}/admin/v1/trust-list`)).json.version).toBe(0);
    expect((await scrape(gateway.metrics)).get('vigie_trust_list_version')).toBe(0);
    expect((await reload(gateway)).json).toMatchObject({ version: 0, changed: false });
    publish(gateway, list(1, [SIGNER, SECOND]));
    expect((await reload(gateway)).json).toMatchObject({ version: 1, changed: true });
  });

  it('calls nothing valid in a batch under way by the list in force before', async (test) => {
    const { expect } = test;
    // Slow and finely cut, so that the reload falls between two slices.
    const env = { VIGIE_ENGINE: 'noble', VIGIE_BATCH_SLICE: '8' };
    const gateway = await start(test, { trustList: list(1), env });
    // Less than makes its client wait: the parser closes a connection that waits for some ten seconds.
    const items = 1_500;
    let answered = false;
    const batch = call<{ results: { reason: string; key: { set: number } }[]; key: { set: number } }>(
      `${gateway.data}/v1/verify/batch`,
      { body: { credentials: Array.from({ length: items }, () => card()) } },
    ).finally(() => {
      answered = true;
    });
    const verified = 'vigie_verdicts_total{reason="ok",verdict="valid"}';
    await until(async () => ((await scrape(gateway.metrics)).get(verified) ?? 0) > 0);
    publish(gateway, list(2, [SECOND]));
    expect((await reload(gateway, { allowShrink: true })).json).toMatchObject({ version: 2, enforced: true });
    expect(await verify(gateway.data, card())).toMatchObject({ reason: 'unknown_key', key: { set: 2 } });
    expect(answered).toBe(false);

    const { json } = await batch;
    expect(json.key).toEqual({ set: 1 });
    const judged = json.results.map(({ reason, key }) => `${reason} by ${key.set}`);
    expect([judged.length, [...new Set(judged)]]).toEqual([items, ['keys_stale by 1']]);
  }, 90_000);

  it('takes a newer list, whole', async (test) => {
    const { expect } = test;
    const gateway = await start(test, { trustList: list(1) });
    expect(await reasonOf(gateway.data, card(SECOND))).toBe('unknown_key');
    publish(gateway, list(2, [SIGNER, SECOND]));
    expect((await reload(gateway)).json).toEqual({ version: 2, changed: true, enforced: true });
    expect(await verify(gateway.data, card(SECOND))).toMatchObject({
      reason: 'ok',
      key: { kid: 'second', set: 2 },
    });
    expect((await reload(gateway, {})).json).toEqual({ version: 2, changed: false, enforced: true });
    const samples = await scrape(gateway.metrics);
    expect(samples.get('vigie_trust_list_version')).toBe(2);
    expect(samples.get('vigie_trust_list_keys{state="listed"}')).toBe(2);
    expect(samples.get('vigie_trust_list_loads_total{outcome="new"}')).toBe(2);
  });

  it('refuses a bad list whole, and the one in force stays', async (test) => {
    const { expect } = test;
    const gateway = await start(test, {
      trustList: list(5, [SIGNER], OTHERS),
      env: { VIGIE_TRUST_LIST_MAX_BYTES: '4096' },
    });
    const zeros = Buffer.alloc(32).toString('base64url');
    const bad = [
      ['not_json', ''],
      ['not_json', '{"version":6,'],
      ['not_json', '\ufeff{}'],
      ['schema', { version: 6, issuers: [] }],
      ['schema', { version: 6, issuers: [listedIssuer()], note: 'CANARY' }],
      ['schema', { version: 6, issuers: [listedIssuer({}, [SIGNER, SIGNER])] }],
      ['schema', { version: 6, issuers: [listedIssuer({ rights: 'checked' })] }],
      ['schema', { version: 1e300, issuers: [listedIssuer()] }],
      ['key_refused', list(6, [SIGNER, { ...SECOND, x: zeros }], OTHERS)],
      ['version_not_higher', list(4, [SIGNER], OTHERS)],
      ['version_not_higher', list(5, [SECOND], OTHERS)],
      ['shrunk', list(6)],
      ['too_large', `${JSON.stringify(list(6, [SIGNER], OTHERS))}${' '.repeat(4_096)}`],
    ] as const;
    for (const [reason, document] of bad) {
      publish(gateway, document);
      const answer = await reload(gateway);
      expect([answer.status, answer.json.type, answer.json.reason]).toEqual([
        409,
        'trust-list-refused',
        reason,
      ]);
      expect(answer.text).not.toContain('CANARY');
      expect((await verify(gateway.data, card())).key.set).toBe(5);
    }
    expect(gateway.stderr()).not.toContain('CANARY');
    const samples = await scrape(gateway.metrics);
    expect(samples.get('vigie_trust_list_loads_total{outcome="schema"}')).toBe(5);
    expect(samples.get('vigie_trust_list_loads_total{outcome="shrunk"}')).toBe(1);
  });

  it('takes a shrunken list only when the operator says so, an older one never', async (test) => {
    const { expect } = test;
    const gateway = await start(test, { trustList: list(5, [SIGNER], OTHERS) });
    publish(gateway, list(6));
    expect((await reload(gateway, { allowShrink: false })).status).toBe(409);
    expect((await reload(gateway, { allowShrink: true })).json).toMatchObject({ version: 6, changed: true });
    publish(gateway, list(5, [SIGNER], OTHERS));
    expect((await reload(gateway, { allowShrink: true })).json.reason).toBe('version_not_higher');
    const gone = card(SIGNER, { iss: OTHERS[0] });
    expect(await reasonOf(gateway.data, gone)).toBe('unknown_issuer');
  });

  it('has a strict body of its own, or none', async (test) => {
    const { expect } = test;
    const gateway = await start(test);
    const url = `${gateway.admin}/admin/v1/trust-list/reload`;
    for (const body of [
      'x',
      '[]',
      '{"allowShrink":"yes"}',
      '{"force":true}',
      '{"allowShrink":true,"allowShrink":true}',
    ]) {
      expect((await call(url, { body })).status).toBe(400);
    }
    expect((await call(url, { body: '{}', type: 'text/plain' })).status).toBe(415);
    expect((await reload(gateway)).status).toBe(200);
  });

  it('of a file that is gone is 503; the list in force stays', async (test) => {
    const { expect } = test;
    const { served, url } = await serveList(test, list(1));
    const gateway = await start(test, { trustList: url });
    served.status = 500;
    const answer = await reload(gateway);
    expect([answer.status, answer.json.type, answer.json.reason]).toEqual([
      503,
      'trust-list-unreachable',
      'unreachable',
    ]);
    expect(answer.headers.get('retry-after')).toMatch(/^[123]$/);
    expect(await reasonOf(gateway.data, card())).toBe('ok');
  });
});

describe.concurrent('at SIGTERM', () => {
  it('a reload whose source hangs is answered 503, and holds nothing up', async (test) => {
    const { expect } = test;
    const { served, url } = await serveList(test, list(1));
    const env = { VIGIE_TRUST_LIST_TIMEOUT_MS: '60000' };
    const gateway = await start(test, { trustList: url, env });
    served.status = HANGS;
    const pending = reload(gateway);
    await until(() => served.requests === 2);
    gateway.signal('SIGTERM');
    const answer = await pending;
    expect([answer.status, answer.json.type, answer.json.reason]).toEqual([503, 'not-ready', 'stopped']);
    expect(answer.headers.get('retry-after')).toMatch(/^[123]$/);
    expect(await gateway.ended).toEqual({ code: 0, signal: null });
    expect(gateway.stderr()).toContain('"unanswered":0,"msg":"ended"');
  });
});

describe.concurrent('an unknown key', () => {
  it('brings the list that has it; a storm of others brings no second refresh', async (test) => {
    const { expect } = test;
    const { served, url } = await serveList(test, list(1));
    const gateway = await start(test, { trustList: url, env: { VIGIE_WORKERS: '2' } });
    expect(served.requests).toBe(1);
    served.body = JSON.stringify(list(2, [SIGNER, SECOND]));
    expect(await verify(gateway.data, card(SECOND))).toMatchObject({
      reason: 'unknown_key',
      action: 'retry',
    });
    await until(async () => (await reasonOf(gateway.data, card(SECOND))) === 'ok');
    expect(served.requests).toBe(2);
    const storm = Array.from({ length: 2_000 }, (_, index) =>
      credential({ header: { kid: `kid-${index}` } }),
    );
    const answer = await call<{ summary: object }>(`${gateway.data}/v1/verify/batch`, {
      body: { credentials: storm },
    });
    expect(answer.json.summary).toEqual({ invalid: 2_000 });
    expect(await reasonOf(gateway.data, card())).toBe('ok');
    expect(served.requests).toBe(2);
  });

  it('of an unknown issuer asks nobody', async (test) => {
    const { expect } = test;
    const { served, url } = await serveList(test, list(1));
    const gateway = await start(test, { trustList: url });
    expect(await reasonOf(gateway.data, card(SIGNER, { iss: 'https://nobody.example' }))).toBe(
      'unknown_issuer',
    );
    expect(await reasonOf(gateway.data, card())).toBe('ok');
    expect(served.requests).toBe(1);
  });
});

describe.concurrent('an emergency retirement', () => {
  it('withdraws a key at once, for good, and is idempotent', async (test) => {
    const { expect } = test;
    const gateway = await start(test, { trustList: list(1, [SIGNER, SECOND]) });
    const retire = (kid: unknown, iss: unknown = ISS) =>
      call<ProblemAnswer>(`${gateway.admin}/admin/v1/key-retirements`, { body: { iss, kid } });
    expect((await retire('second')).json).toEqual({ seq: 1, known: true });
    expect(await verify(gateway.data, card(SECOND))).toMatchObject({
      reason: 'key_not_active',
      action: 'refuse',
    });
    expect((await retire('second')).json).toEqual({ seq: 1, known: true });
    publish(gateway, list(2, [SIGNER, SECOND]));
    expect((await reload(gateway)).status).toBe(200);
    expect(await reasonOf(gateway.data, card(SECOND))).toBe('key_not_active');
    // Before the list names it, too.
    expect((await retire('to-come')).json).toEqual({ seq: 2, known: false });
    publish(gateway, list(3, [SIGNER, SECOND, signerOf('a third key', 'to-come')]));
    expect((await reload(gateway)).status).toBe(200);
    expect(await reasonOf(gateway.data, card(signerOf('a third key', 'to-come')))).toBe('key_not_active');
    const samples = await scrape(gateway.metrics);
    expect(samples.get('vigie_trust_list_keys{state="retired"}')).toBe(2);
    for (const [kid, iss] of [
      [1, ISS],
      ['', ISS],
      ['x', ''],
      ['x', null],
    ] as const) {
      expect((await retire(kid, iss)).status).toBe(400);
    }
  });
});

describe.concurrent('a list that its source no longer confirms', () => {
  it('answers keys_stale beyond its age, not ready, and recovers', async (test) => {
    const { expect } = test;
    const { served, url } = await serveList(test, list(1));
    const env = { VIGIE_TRUST_LIST_MAX_AGE_SECONDS: '4', VIGIE_TRUST_LIST_REFRESH_SECONDS: '1' };
    const gateway = await start(test, { trustList: url, env });
    expect(await reasonOf(gateway.data, card())).toBe('ok');
    served.status = 500;
    await until(async () => (await reasonOf(gateway.data, card())) === 'keys_stale');
    expect(await verify(gateway.data, card())).toMatchObject({
      verdict: 'indeterminate',
      action: 'retry',
      verified: [],
      credential: { claims: {} },
    });
    // Known to be wrong is still wrong.
    expect(await reasonOf(gateway.data, card(SIGNER, { iss: 'https://nobody.example' }))).toBe(
      'unknown_issuer',
    );
    const unready = await call<ProblemAnswer>(`${gateway.data}/readyz`);
    expect([unready.status, unready.json.reasons]).toEqual([503, ['trust_list_too_old']]);
    served.status = 200;
    await until(async () => (await reasonOf(gateway.data, card())) === 'ok');
    expect((await call(`${gateway.data}/readyz`)).status).toBe(200);
  });

  it('that never came is waited for: not ready, keys_stale, then served', async (test) => {
    const { expect } = test;
    const { served, url } = await serveList(test, list(1));
    served.status = 500;
    const gateway = await start(test, { trustList: url });
    const unready = await call<ProblemAnswer>(`${gateway.data}/readyz`);
    expect([unready.status, unready.json.reasons]).toEqual([503, ['trust_list_missing']]);
    expect(await verify(gateway.data, card())).toMatchObject({ reason: 'keys_stale', key: {} });
    expect(await reasonOf(gateway.data, 'x')).toBe('malformed');
    const described = await call(`${gateway.admin}/admin/v1/trust-list`);
    expect(described.json).toMatchObject({ version: null, ageMs: null, issuers: [] });
    const samples = await scrape(gateway.metrics);
    expect(samples.get('vigie_ready')).toBe(0);
    expect(samples.has('vigie_trust_list_version')).toBe(false);
    expect(samples.has('vigie_trust_list_age_seconds')).toBe(false);
    served.status = 200;
    await until(async () => (await call(`${gateway.data}/readyz`)).status === 200);
    expect(await reasonOf(gateway.data, card())).toBe('ok');
  });
});
