/** HAProxy with the deployment's own configuration before two real gateways: what it lets through, and what it refuses. */

import { App, type us_listen_socket, us_listen_socket_close, us_socket_local_port } from 'uWebSockets.js';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Child, freePorts } from '../../deploy/stack/child.ts';
import { startLoadBalancer } from '../../deploy/stack/load-balancer.ts';
import { createClientFinder } from '../../src/ingress/admission/client.ts';
import { createClientMarks } from '../../src/ingress/admission/client-marks.ts';
import { createPeers } from '../../src/ingress/admission/peers.ts';
import { listenAlone } from '../../src/ingress/listen.ts';
import { parseNetworks } from '../../src/networks.ts';
import { call, scrape } from '../support/call.ts';
import { type Gateway, logLines, startGateway } from '../support/gateway.ts';
import { nativeAddon } from '../support/path-world.ts';
import { exchangeRaw, head } from '../support/raw-http.ts';
import { credential, goodClaims, tampered } from '../support/synthetic-issuer.ts';

const GOOD = credential({ payload: goodClaims({}, Math.floor(Date.now() / 1000)) });
const BODY = JSON.stringify({ credential: GOOD });
const HOST = 'Host: vigie.example';
const TYPE = 'Content-Type: application/json';
const LENGTH = `Content-Length: ${BODY.length}`;
const POST = 'POST /v1/verify HTTP/1.1';
const CHUNKED = 'Transfer-Encoding: chunked';
const HONEST = head(POST, HOST, TYPE, LENGTH) + BODY;
/** Of a balancer of its own; the others are asked without limit. */
const SOURCE_RATE = 50;
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

let gateways: [Gateway, Gateway];
let balancers: Child[] = [];
let directory: string;
let port: number;
let narrowPort: number;
let metrics: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'vigie-balancer-'));
  const options = { env: { VIGIE_ACCESS_LOG_ONE_IN: '1' } };
  gateways = await Promise.all([startGateway(options), startGateway(options)]);
  const [own, metricsPort, narrow, narrowMetrics] = (await freePorts(4)) as [number, number, number, number];
  port = own;
  narrowPort = narrow;
  metrics = `http://127.0.0.1:${metricsPort}`;
  const ports = [gateways[0].dataPort, gateways[1].dataPort] as const;
  const limited = { port: narrow, metricsPort: narrowMetrics, sourceRate: SOURCE_RATE };
  balancers = [
    await startLoadBalancer({ directory, port, metricsPort, gateways: ports }),
    await startLoadBalancer({
      directory: mkdtempSync(join(directory, 'narrow-')),
      ...limited,
      gateways: ports,
    }),
  ];
}, 60_000);

afterAll(async () => {
  await Promise.all(balancers.map((balancer) => balancer.stop()));
  await Promise.all((gateways ?? []).map((gateway) => gateway.dispose()));
  rmSync(directory, { recursive: true, force: true });
});

/** Single calls that a gateway has answered, by its own count. */
async function singlesOf(gateway: Gateway): Promise<number> {
  const samples = await scrape(gateway.metrics);
  return samples.get('vigie_requests_total{route="verify",status="200"}') ?? 0;
}

describe('a call', () => {
  it('alone and in a batch gets its verdict, by either gateway', async () => {
    const before = await Promise.all(gateways.map(singlesOf));
    for (let i = 0; i < 20; i++) {
      const { json } = await call(`http://127.0.0.1:${port}/v1/verify`, { body: { credential: GOOD } });
      expect(json).toMatchObject({ verdict: 'valid', reason: 'ok' });
    }
    const after = await Promise.all(gateways.map(singlesOf));
    for (const [i, count] of after.entries()) expect(count).toBeGreaterThan((before[i] as number) + 5);
    const credentials = [GOOD, tampered(GOOD), 'x', GOOD];
    const batch = await call(`http://127.0.0.1:${port}/v1/verify/batch`, { body: { credentials } });
    const reasons = (batch.json as { results: { reason: string }[] }).results.map(({ reason }) => reason);
    expect(reasons).toEqual(['ok', 'bad_signature', 'malformed', 'ok']);
  });

  it('keeps its request id, or gets one; answers of the load balancer have one too', async () => {
    const ids = async (request: string) =>
      (await exchangeRaw(port, [request])).answers.map(({ headers }) => headers['x-request-id']);
    const named = 'X-Request-Id: counter-7';
    expect(await ids(head(POST, HOST, TYPE, LENGTH, named) + BODY)).toEqual(['counter-7']);
    expect(await ids(head('GET /elsewhere HTTP/1.1', HOST, named))).toEqual(['counter-7']);
    const uuid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(await ids(HONEST)).toEqual([uuid]);
    const unfit = `X-Request-Id: ${'x'.repeat(129)}`;
    expect(await ids(head('GET /elsewhere HTTP/1.1', HOST, unfit))).toEqual([uuid]);
  });

  it('arrives with its place in the trace, and with its request id', async () => {
    const requestId = randomUUID();
    const more = [`traceparent: 00-${TRACE}-${PARENT}-01`, `X-Request-Id: ${requestId}`];
    await exchangeRaw(port, [head(POST, HOST, TYPE, LENGTH, ...more) + BODY]);
    const lines = () =>
      gateways.flatMap((gateway) => logLines(gateway)).filter((line) => line.requestId === requestId);
    await expect.poll(lines, { timeout: 20_000 }).toMatchObject([{ traceId: TRACE, parentId: PARENT }]);
  });

  it('leaves no word of its caller in the log, and no line where paths that are none are tried', async () => {
    const chunked = (id: string) => head(POST, HOST, TYPE, CHUNKED, `X-Request-Id: ${id}`);
    const requestId = randomUUID();
    await exchangeRaw(port, [head('GET /elsewhere HTTP/1.1', HOST, 'X-Request-Id: Erika.Mustermann')]);
    await exchangeRaw(port, [chunked('Erika.Mustermann')], { answers: 0 });
    await exchangeRaw(port, [chunked(requestId)], { answers: 0 });
    const log = () => readFileSync(join(directory, 'haproxy.log'), 'utf8');
    await expect.poll(log, { timeout: 20_000 }).toContain(`"requestId":"${requestId}"`);
    expect(log()).not.toMatch(/Mustermann|elsewhere|127\.0\.0\.1:\d+ \[/);
    const refused = log()
      .split('\n')
      .filter((line) => line.startsWith('{'));
    expect(refused.map((line) => JSON.parse(line).status)).not.toContain(404);
    expect(refused.map((line) => JSON.parse(line).requestId)).toContain('-');
  });

  it.each([
    ['metrics', 'GET /metrics HTTP/1.1'],
    ['administration', 'GET /admin/v1/trust-list HTTP/1.1'],
    ['readiness of one gateway', 'GET /readyz HTTP/1.1'],
    ['a path with dots', 'GET /v1/verify/../../metrics HTTP/1.1'],
    ['a path of two slashes', 'GET //v1/openapi.json HTTP/1.1'],
  ])('for %s is not passed on', async (_what, line) => {
    const { answers } = await exchangeRaw(port, [head(line, HOST)]);
    expect(answers[0]).toMatchObject({
      status: 404,
      headers: { 'content-type': 'application/problem+json' },
    });
    expect(JSON.parse(answers[0]?.body ?? '')).toMatchObject({ type: 'not-found', status: 404 });
  });

  it('that announces too large a body is refused before any of it is sent', async () => {
    const { answers } = await exchangeRaw(port, [
      head('POST /v1/verify/batch HTTP/1.1', HOST, TYPE, `Content-Length: ${16 * 1024 * 1024 + 1}`),
    ]);
    expect(answers[0]?.status).toBe(413);
    expect(JSON.parse(answers[0]?.body ?? '').type).toBe('body-too-large');
  });
});

/** A second request that would be answered "valid" if anybody read it as one. */
const INNER = HONEST;

describe('a request with another inside', () => {
  it.each([
    ['Content-Length and Transfer-Encoding', `${head(POST, HOST, TYPE, LENGTH, CHUNKED)}0\r\n\r\n${INNER}`],
    ['chunks, which gateways do not take', `${head(POST, HOST, TYPE, CHUNKED)}0\r\n\r\n`],
    ['two lengths that differ', head(POST, HOST, TYPE, LENGTH, 'Content-Length: 0') + INNER],
    ['lengths in a list', head(POST, HOST, TYPE, `Content-Length: 0, ${BODY.length}`) + INNER],
    ['a signed length', head(POST, HOST, TYPE, 'Content-Length: +0') + INNER],
    ['an empty length', head(POST, HOST, TYPE, 'Content-Length:') + INNER],
    [
      'a blank before the colon',
      head(POST, HOST, TYPE, 'Content-Length: 0', 'Transfer-Encoding : chunked') + INNER,
    ],
    ['an unknown coding', head(POST, HOST, TYPE, LENGTH, 'Transfer-Encoding: xchunked') + INNER],
    ['two codings', head(POST, HOST, TYPE, LENGTH, CHUNKED, 'Transfer-Encoding: identity') + INNER],
    ['a bare carriage return', head(POST, HOST, TYPE, `X-A: b\rTransfer-Encoding: chunked`, LENGTH) + INNER],
    ['a NUL', head(POST, HOST, TYPE, 'X-A: a\0b', LENGTH) + INNER],
    ['a header name that is none', head(POST, HOST, TYPE, 'Content(Length: 4', LENGTH) + INNER],
    ['a chunk size that is none', `${head(POST, HOST, TYPE, CHUNKED)}0x1\r\nx\r\n0\r\n\r\n${INNER}`],
  ])('by %s: refused, and what stands in it is not answered', async (_what, request) => {
    const before = await Promise.all(gateways.map(singlesOf));
    const { answers, text } = await exchangeRaw(port, [request], { answers: 0 });
    expect(answers.map(({ status }) => status)).toEqual([400]);
    expect(text).not.toContain('"verdict"');
    expect(await Promise.all(gateways.map(singlesOf))).toEqual(before);
    const honest = await exchangeRaw(port, [HONEST]);
    expect(JSON.parse(honest.answers[0]?.body ?? '').reason).toBe('ok');
    // A call is counted when its answer has left, so that the next case may begin before: then it would be taken for its own.
    const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
    await expect
      .poll(async () => sum(await Promise.all(gateways.map(singlesOf))), { timeout: 5_000 })
      .toBe(sum(before) + 1);
  });

  // RFC 9112 sections 2.2 and 5.2 let it take them; a gateway would wait for the end of such a head, and never sees one.
  it.each([
    ['lines that end in a line feed alone', HONEST.replaceAll('\r\n', '\n')],
    ['a folded line', head(POST, HOST, TYPE, 'X-A: a\r\n folded', LENGTH) + BODY],
  ])('of %s is written anew, and is one request', async (_what, request) => {
    const { answers } = await exchangeRaw(port, [request]);
    expect(answers.map(({ status }) => status)).toEqual([200]);
  });
});

describe('gateways are told whose call it is', () => {
  const marks = createClientMarks();
  const strange: string[] = [];
  const markOfIpv4 = (...address: number[]): string => `${marks.ofAddress(Uint8Array.from(address))}`;
  const app = App();
  const peers = createPeers({
    ...{ marks, trusted: parseNetworks('127.0.0.1'), app, addon: nativeAddon() },
    disagreed: () => strange.push('disagreed'),
  });
  const finder = createClientFinder(peers, marks);
  let listening: us_listen_socket;
  let balancer: Child;
  let own: number;

  beforeAll(async () => {
    // The parser and the finder of a gateway, answering with what a gateway would keep to itself.
    app.get('/readyz', (res) => void res.end('ready'));
    app.get('/v1/openapi.json', (res) => void res.end(`${finder.find(res, undefined).mark()}`));
    listening = (await listenAlone(app, '127.0.0.1', 0)) as us_listen_socket;
    const [port = 0, metricsPort = 0] = await freePorts(2);
    own = port;
    const shown = us_socket_local_port(listening);
    const place = mkdtempSync(join(directory, 'shown-'));
    balancer = await startLoadBalancer({ directory: place, port, metricsPort, gateways: [shown, shown] });
  }, 60_000);
  afterAll(async () => {
    await balancer.stop();
    us_listen_socket_close(listening);
    app.close();
    expect(strange).toEqual([]);
  });

  const markOf = async (localAddress: string, before = ''): Promise<string | undefined> => {
    const request = before + head('GET /v1/openapi.json HTTP/1.1', HOST);
    return (await exchangeRaw(own, [request], { localAddress })).answers[0]?.body;
  };

  it('by the address, also on connections that are used again', async () => {
    for (const last of [2, 3, 2, 4, 3, 2]) {
      expect(await markOf(`127.0.0.${last}`)).toBe(markOfIpv4(127, 0, 0, last));
    }
  });

  it('and not by what a caller says of itself', async () => {
    const header = 'PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\n';
    expect(await markOf('127.0.0.2', header)).toContain('400 Bad request');
    const forwarded = head(
      'GET /v1/openapi.json HTTP/1.1',
      HOST,
      'X-Forwarded-For: 192.0.2.7',
      'Forwarded: for=192.0.2.7',
    );
    const { answers } = await exchangeRaw(own, [forwarded], { localAddress: '127.0.0.2' });
    expect(answers[0]?.body).toBe(markOfIpv4(127, 0, 0, 2));
  });
});

it('what an address sends beyond its rate is refused, and is served again a moment later', async () => {
  const refused = head('GET /elsewhere HTTP/1.1', HOST);
  const wave = () =>
    Promise.all(
      Array.from({ length: 20 }, () => exchangeRaw(narrowPort, new Array(8).fill(refused), { answers: 8 })),
    );
  const statuses = async () => (await wave()).flatMap(({ answers }) => answers.map(({ status }) => status));
  await expect
    .poll(async () => [...new Set(await statuses())].sort(), { timeout: 20_000 })
    .toEqual([404, 429]);
  const one = async () => (await exchangeRaw(narrowPort, [HONEST])).answers[0]?.status;
  await expect.poll(one, { timeout: 20_000 }).toBe(200);
});

it('its exporter counts calls by gateway; its health says whether one is there', async () => {
  const samples = await scrape(metrics);
  const up = [...samples].filter(([name]) => /^haproxy_server_status\{.*state="UP"\}$/.test(name));
  expect(up.map(([, value]) => value)).toEqual([1, 1]);
  expect((await fetch(`${metrics}/healthz`)).status).toBe(200);
});
