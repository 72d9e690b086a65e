/** Nothing personal leaves memory: canaries through every path are found in no log, metric or file. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, scrape, until, type VerdictAnswer } from '../support/call.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { cnfOf, holderProof } from '../support/presentation.ts';
import { exchangeRaw, head, open } from '../support/raw-http.ts';
import { credential, goodClaims, ISS, tampered } from '../support/synthetic-issuer.ts';

/** Stands in identifiers, claims, header members, paths, bodies and headers alike. */
const CANARY = 'CANARY4711';
const NOW = Math.floor(Date.now() / 1000);

let gateway: Gateway;

beforeAll(async () => {
  gateway = await startGateway({ env: { VIGIE_LOG_LEVEL: 'trace', VIGIE_ACCESS_LOG_ONE_IN: '1' } });
  await presentations();
  await everyPath();
});

afterAll(() => gateway.dispose());

async function everyPath(): Promise<void> {
  const claims = (more: object = {}) =>
    goodClaims({ jti: `jti-${CANARY}`, sub: `sub-${CANARY}`, name: CANARY, [CANARY]: 1, ...more }, NOW);
  const good = credential({ payload: claims() });
  const texts = [
    good,
    tampered(good),
    CANARY,
    `${good}${CANARY}`,
    credential({ payload: claims(), header: { kid: CANARY } }),
    credential({ payload: claims({ iss: CANARY }) }),
    credential({ payload: claims(), header: { alg: CANARY } }),
    credential({ payload: claims(), header: { crit: [CANARY] } }),
    credential({ payload: claims({ exp: 1 }) }),
    credential({ payload: claims({ nbf: NOW * 2 }) }),
    credential({ payload: claims({ aud: CANARY }) }),
    credential({ payload: claims({ jti: { [CANARY]: CANARY } }) }),
    credential({ payload: claims({ test: true }) }),
    credential({ payload: `{"${CANARY}":` }),
  ];
  const admin = (path: string, body: unknown, headers = {}) =>
    call(`${gateway.admin}/admin/v1/${path}`, { body, headers });
  const card = { iss: `iss-${CANARY}`, jti: `jti-${CANARY}` };
  const changes = [
    { ...card, status: 'revoked', why: 'deceased' },
    { iss: ISS, jti: `jti-${CANARY}`, status: 'suspended' },
  ];
  for (const text of texts) await call(`${gateway.data}/v1/verify`, { body: { credential: text } });
  await admin('status-changes', { changes }, { 'idempotency-key': `key-${CANARY}` });
  for (const text of texts) await call(`${gateway.data}/v1/verify`, { body: text, type: 'text/plain' });
  await call(`${gateway.data}/v1/verify/batch`, { body: { credentials: texts } });
  await call(`${gateway.data}/v1/verify/batch`, { body: texts.join('\n'), type: 'text/plain' });

  await call(`${gateway.data}/v1/verify`, { body: { credential: good, audience: CANARY } });
  await call(`${gateway.data}/v1/verify`, { body: { credential: good, [CANARY]: CANARY } });
  await call(`${gateway.data}/v1/verify`, { body: `{"${CANARY}` });
  await call(`${gateway.data}/v1/verify`, { body: CANARY, type: `text/${CANARY}` });
  await call(`${gateway.data}/v1/${CANARY}?${CANARY}=${CANARY}`);
  await call(`${gateway.data}/healthz`, {
    headers: {
      'x-request-id': CANARY,
      traceparent: CANARY,
      tracestate: `${CANARY}=${CANARY}`,
      authorization: `Bearer ${CANARY}`,
      cookie: CANARY,
      'user-agent': CANARY,
    },
  });
  await admin('status-changes', { changes }, { 'idempotency-key': `key-${CANARY}` });
  await admin('status-changes', { changes: [{ ...card, status: 'active' }] });
  await admin('status-changes', { changes: [{ ...card, status: CANARY }] });
  await admin('status-changes', { changes: [{ ...card, [CANARY]: 1 }] });
  await admin('status-query', card);
  await admin('status-query', { ...card, [CANARY]: CANARY });
  const older = { iss: ISS, sub: `sub-${CANARY}`, issuedBefore: NOW };
  for (const body of [{ changes: [older] }, older, { changes: [{ ...older, issuedBefore: CANARY }] }]) {
    await admin('status-changes', body, { 'idempotency-key': `${CANARY}-${JSON.stringify(body).length}` });
  }
  const holder = await admin('status-query', { iss: ISS, sub: `sub-${CANARY}` });
  expect(holder.json).toMatchObject({ status: 'superseded' });
  await admin('status-query', { iss: ISS, sub: `sub-${CANARY}`, [CANARY]: CANARY });
  await admin('key-retirements', { iss: CANARY, kid: CANARY });
  await admin('trust-list/reload', { [CANARY]: true });
  await admin(CANARY, { [CANARY]: CANARY });

  const port = gateway.dataPort;
  await exchangeRaw(port, [`${head(`GET /${CANARY} HTTP/1.1`, 'Host: x', 'Content-Length: 9')}${CANARY}`]);
  await exchangeRaw(port, [head(`${CANARY} /${CANARY} HTTP/1.1`, `Host: ${CANARY}`)]);
  const left = await open(port);
  left.write(
    `${head('POST /v1/verify HTTP/1.1', 'Host: x', 'Content-Type: text/plain', 'Content-Length: 99')}${CANARY}`,
  );
  left.end();
}

/** Proofs that hold and are used up, and proofs in which everything is wrong that can be. */
async function presentations(): Promise<void> {
  const payload = goodClaims({ jti: `held-${CANARY}`, sub: `held-${CANARY}`, cnf: cnfOf() }, NOW);
  const held = credential({ payload });
  const proof = (claims: object, header: object = { kid: CANARY }, nonce: string = CANARY) =>
    holderProof(held, {
      header: { ...header },
      claims: { iat: Date.now() / 1000, aud: `https://${CANARY}`, nonce, [CANARY]: CANARY, ...claims },
    });
  const calls = { audience: `https://${CANARY}`, nonce: CANARY };
  const show = async (text: string, more: object = calls): Promise<string> => {
    const body = { credential: held, holderProof: text, ...more };
    return (await call<VerdictAnswer>(`${gateway.data}/v1/verify`, { body })).json.reason;
  };
  const good = proof({});
  // So that there is something to be found, were it written down.
  expect([await show(good), await show(good)]).toEqual(['ok', 'replayed']);
  expect(await show(proof({}, { kid: CANARY }, `n-${CANARY}`), { audience: calls.audience })).toBe('ok');
  const wrong = [
    [proof({}), { ...calls, nonce: `other ${CANARY}` }],
    [proof({}), { ...calls, audience: CANARY }],
    [proof({ iat: CANARY }), calls],
    [proof({ sd_hash: CANARY }), calls],
    [proof({}, { kid: { [CANARY]: CANARY } }), calls],
    [proof({}, { alg: CANARY }), calls],
    [CANARY, calls],
    [`${good}${CANARY}`, calls],
  ] as const;
  for (const [text, more] of wrong) expect(await show(text, more)).toBe('holder_proof_invalid');
  const items = [good, ...wrong.map(([text]) => text)].map((text) => ({
    credential: held,
    holderProof: text,
  }));
  await call(`${gateway.data}/v1/verify/batch`, { body: { credentials: items } });
  const strange = { credential: held, holderProof: good, channel: CANARY };
  await call(`${gateway.data}/v1/verify`, { body: strange });
  await call(`${gateway.data}/v1/verify`, { body: { ...strange, channel: 'qr', at: CANARY } });
}

/** The canary and what a log or a file could have made of it. */
const SPELLINGS = [
  CANARY,
  CANARY.toLowerCase(),
  Buffer.from(CANARY, 'utf16le').toString('latin1'),
  // Inside base64url text, at each of the three alignments: the part that does not depend on its neighbours.
  ...[0, 1, 2].map((shift) => {
    const text = Buffer.from('x'.repeat(shift) + CANARY).toString('base64url');
    return text.slice(Math.ceil((shift * 4) / 3), -2);
  }),
  Buffer.from(CANARY).toString('hex'),
];

function spelledIn(text: string): string[] {
  return SPELLINGS.filter((spelling) => text.includes(spelling));
}

describe('after every path was taken with a canary', () => {
  it('the search finds what it should find', () => {
    const good = credential({ payload: goodClaims({ jti: CANARY }, NOW) });
    expect(spelledIn(`x ${good} y`)).not.toEqual([]);
    expect(spelledIn(`jti: ${CANARY}`)).not.toEqual([]);
  });

  it('the log, at its most talkative, holds none', () => {
    const log = gateway.stderr();
    expect(log.split('\n').length).toBeGreaterThan(5);
    expect(spelledIn(log)).toEqual([]);
    expect(spelledIn(gateway.stdout())).toEqual([]);
  });

  it('the log is one JSON object a line', () => {
    for (const line of gateway.stderr().split('\n').filter(Boolean)) {
      const entry = JSON.parse(line);
      expect([typeof entry.msg, typeof entry.level, entry.service]).toEqual(['string', 'string', 'vigie']);
    }
  });

  it('the metrics hold none, and their labels are a closed list', async () => {
    const { text } = await call(`${gateway.metrics}/metrics`);
    expect(spelledIn(text)).toEqual([]);
    expect(text).not.toContain(ISS);
    const routes = [...text.matchAll(/route="([^"]*)"/g)].map(([, route]) => route);
    const known =
      'verify verify_batch healthz readyz openapi metrics status_changes status_query status_summary filter_rebuilds trust_list trust_list_reload key_retirements none';
    expect(new Set(routes)).toEqual(new Set(known.split(' ')));
  });

  it('the data directory holds none, nor an issuer beside the public list', async () => {
    // Proofs that were used up stand there, some milliseconds later, by names of 16 bytes and a time.
    const journal = join(gateway.dataDir, 'replay');
    const noted = () => readdirSync(journal).map((name) => readFileSync(join(journal, name)).length);
    await until(() => noted().some((bytes) => bytes >= 2 * 24));
    const files = readdirSync(gateway.dataDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) {
      const content = readFileSync(file, 'latin1');
      expect([file, spelledIn(content)]).toEqual([file, []]);
      if (!file.includes('trust-list')) expect([file, content.includes(ISS)]).toEqual([file, false]);
    }
  });

  it('promtool finds nothing to complain of in the real metrics', async () => {
    const { text } = await call(`${gateway.metrics}/metrics`);
    expect(execFileSync('promtool', ['check', 'metrics'], { input: text }).toString()).toBe('');
    const samples = await scrape(gateway.metrics);
    expect(samples.get('vigie_unexpected_errors_total')).toBe(0);
    expect(samples.get('vigie_ready')).toBe(1);
  });
});
