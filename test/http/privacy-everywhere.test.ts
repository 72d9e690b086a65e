/**
 * The same canary through a gateway with everything on: callers with keys, users of the admin listener, the audit of
 * verifications, a shared log, a worker that dies, and handshakes that fail. It is found in no log, metric, file, record of
 * Redis or image of memory.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { auditLines, auditText } from '../support/audit-lines.ts';
import { call, scrape, until } from '../support/call.ts';
import { bearer, callersFile, oneKey, type TestCaller, type TestCallers } from '../support/callers.ts';
import { CANARY, everyPath, filesUnder, spelledIn } from '../support/canary-paths.ts';
import { createCertificates } from '../support/certificates.ts';
import { type Gateway, startGateway, workerFault } from '../support/gateway.ts';
import { POWERLESS } from '../support/powerless.ts';
import { exchangeRaw, head } from '../support/raw-http.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { credential, goodClaims } from '../support/synthetic-issuer.ts';
import { hurl } from '../support/tls-client.ts';

const PHARMACY: TestCaller = {
  name: 'pharmacy-a',
  scopes: ['verify', 'batch', 'lots', 'at'],
  keys: [oneKey()],
};
const DESK: TestCaller = { name: 'help-desk', scopes: ['status', 'trust', 'read'], keys: [oneKey()] };

let dir: string;
let redis: RedisServer;
let files: TestCallers;
let users: TestCallers;
let gateway: Gateway;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'vigie-privacy-'));
  redis = await startRedis();
  files = callersFile([PHARMACY]);
  // One secret for both files: users' keys are hashed under it as callers' are.
  users = callersFile([DESK], 'admin', files);
  gateway = await startGateway({
    startedBy: POWERLESS,
    env: {
      ...users.env,
      ...files.env,
      ...workerFault('throws-once', join(dir, 'strike')),
      VIGIE_REDIS_URL: `redis://127.0.0.1:${redis.port}`,
      VIGIE_VERIFICATION_AUDIT: 'on',
      VIGIE_LOG_LEVEL: 'trace',
      VIGIE_ACCESS_LOG_ONE_IN: '1',
    },
  });
  const headers = { data: bearer(PHARMACY), admin: bearer(DESK) };
  await until(async () => (await call(`${gateway.data}/readyz`)).status === 200);
  await everyPath(gateway, headers);
  await strangers();
  await worker();
  await everyCall(headers.data);
});
afterAll(async () => {
  await gateway?.dispose();
  await redis?.stop();
  files?.dispose();
  users?.dispose();
  rmSync(dir, { recursive: true, force: true });
});

/** Whoever has no key, has one of another form, or says who they are in other ways. */
async function strangers(): Promise<void> {
  for (const authorization of [
    CANARY,
    `Bearer ${CANARY}`,
    `Bearer vigie_${CANARY}`,
    `Basic ${btoa(CANARY)}`,
  ]) {
    const headers = { authorization, 'x-api-key': CANARY };
    const refused = [
      await call(`${gateway.data}/v1/verify`, { body: { credential: CANARY }, headers }),
      await call(`${gateway.admin}/admin/v1/status-query`, { body: { iss: CANARY, jti: CANARY }, headers }),
    ];
    expect(refused.map(({ status }) => status)).toEqual([401, 401]);
  }
  const traced = [
    'traceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-01',
    `tracestate: v=${CANARY}`,
  ];
  const { port } = new URL(gateway.admin);
  for (const at of [gateway.dataPort, Number(port), Number(new URL(gateway.metrics).port)])
    await exchangeRaw(at, [head(`GET /${CANARY} HTTP/1.1`, 'Host: x', ...traced, `X-${CANARY}: ${CANARY}`)]);
}

/** The only worker throws, where nobody catches, an error that has the canary in its text; another takes its place. */
async function worker(): Promise<void> {
  writeFileSync(join(dir, 'strike'), '');
  await until(() => existsSync(join(dir, 'strike.struck')));
  await until(async () => {
    const samples = await scrape(gateway.metrics);
    return (
      samples.get('vigie_worker_restarts_total{why="uncaught"}') === 1 && samples.get('vigie_workers') === 1
    );
  });
}

/** By the worker that took the other's place. */
async function everyCall(headers: Readonly<Record<string, string>>): Promise<void> {
  const payload = goodClaims({ jti: `late-${CANARY}` }, Math.floor(Date.now() / 1000));
  const text = credential({ payload });
  await until(async () => {
    const answer = await call(`${gateway.data}/v1/verify`, { body: { credential: text }, headers });
    return answer.json.reason === 'ok';
  });
}

describe('after every path was taken with a canary, by callers with names', () => {
  it('the log and what was printed hold none, nor the text of the error', () => {
    const log = gateway.stderr();
    expect(log).toContain('an error that nobody caught in a worker');
    expect(log).toContain('"traceId"');
    expect([log, gateway.stdout()].flatMap(spelledIn)).toEqual([]);
    // What was thrown says CANARY.
    expect(log).not.toContain('CANARY');
    for (const { keys } of [PHARMACY, DESK]) expect(log).not.toContain(keys[0]?.accessKey);
  });

  it('the metrics of every listener hold none, and name callers as they are configured', async () => {
    const { text } = await call(`${gateway.metrics}/metrics`);
    expect(spelledIn(text)).toEqual([]);
    const names = [...text.matchAll(/caller="([^"]*)"/g)].map(([, name]) => name);
    expect(new Set(names)).toEqual(new Set([PHARMACY.name]));
  });

  it('both audits have told of it, and hold none', async () => {
    await until(() => auditLines(gateway.dataDir, 'verifications').length > 60);
    for (const trail of ['admin', 'verifications'])
      expect([trail, spelledIn(auditText(gateway.dataDir, trail))]).toEqual([trail, []]);
    expect(auditLines(gateway.dataDir, 'admin').some(({ who }) => who === DESK.name)).toBe(true);
  });

  it('the data directory and the files of callers hold none', () => {
    const all = [...filesUnder(gateway.dataDir), files.file, users.file];
    expect(all.some((file) => /verifications-[-\d]+\.key$/.test(file))).toBe(true);
    for (const file of all) expect([file, spelledIn(readFileSync(file, 'latin1'))]).toEqual([file, []]);
  });

  it('Redis holds none, whatever it keeps', () => {
    const cli = (...args: string[]) =>
      execFileSync('redis-cli', ['-p', `${redis.port}`, ...args], { stdio: 'pipe' });
    cli('config', 'set', 'rdbcompression', 'no');
    expect(Number(cli('dbsize').toString())).toBeGreaterThan(3);
    cli('--rdb', join(dir, 'dump.rdb'));
    const dump = readFileSync(join(dir, 'dump.rdb'), 'latin1');
    expect(dump).toContain('vigie');
    expect(spelledIn(dump)).toEqual([]);
  });

  it('no image of its memory is written, and nobody else may read it', () => {
    const limits = readFileSync(`/proc/${gateway.pid}/limits`, 'utf8');
    expect(limits).toMatch(/^Max core file size +0 +0 /m);
    // Another program of its user, no mightier than it: test/control/harden.test.ts shows that one without this is read.
    const [program = '', ...words] = [...POWERLESS, 'cat', `/proc/${gateway.pid}/environ`];
    expect(spawnSync(program, words, { encoding: 'latin1' })).toMatchObject({
      stdout: '',
      stderr: expect.stringMatching(/environ'?: (Permission denied|Operation not permitted)/),
    });
  });
});

it('a handshake that fails, and what is no handshake at all, leave nothing behind', async () => {
  const certificates = createCertificates();
  onTestFinished(certificates.dispose);
  certificates.authority('authority', ['server']);
  // Nobody's that the gateway trusts, and it names the canary.
  certificates.authority(CANARY, []);
  const tls = await startGateway({
    env: {
      VIGIE_TLS_CERT_FILE: certificates.file('server.pem'),
      VIGIE_TLS_KEY_FILE: certificates.file('server.key'),
      VIGIE_TLS_CLIENT_CA_FILE: certificates.file('authority.pem'),
      VIGIE_LOG_LEVEL: 'trace',
      VIGIE_ACCESS_LOG_ONE_IN: '1',
    },
  });
  const { cert, key } = certificates.client(CANARY);
  const answers: string[] = [];
  for (const more of [{ cert, key }, {}]) {
    const socket = connect({
      port: tls.dataPort,
      host: '127.0.0.1',
      servername: `${CANARY}.example`,
      ALPNProtocols: [CANARY],
      rejectUnauthorized: false,
      ...more,
    });
    socket.on('error', () => {});
    socket.on('data', (chunk) => answers.push(String(chunk)));
    socket.write(head(`GET /${CANARY} HTTP/1.1`, `Host: ${CANARY}`));
    await new Promise((resolve) => {
      socket.once('close', resolve);
      socket.once('data', () => socket.destroy());
    });
  }
  await hurl(tls, head(`GET /${CANARY} HTTP/1.1`, `Host: ${CANARY}`));
  const { text } = await call(`${tls.metrics}/metrics`);
  expect([tls.stderr(), tls.stdout(), text, ...answers].flatMap(spelledIn)).toEqual([]);
  for (const file of filesUnder(tls.dataDir)) expect(spelledIn(readFileSync(file, 'latin1'))).toEqual([]);
  await tls.dispose();
});
