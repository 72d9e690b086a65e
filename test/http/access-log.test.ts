/** Lines for requests: off by default, on by one setting, found by request id and trace, and without any content. */
import { describe, expect, it } from 'vitest';
import { call, until } from '../support/call.ts';
import { bearer, callersFile, oneKey, type TestCaller } from '../support/callers.ts';
import { type Gateway, type GatewayOptions, startGateway } from '../support/gateway.ts';
import { exchangeRaw, head } from '../support/raw-http.ts';
import { credential, goodClaims } from '../support/synthetic-issuer.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const UUID = '9b2b6f4e-6f0a-4b43-9c39-6d8f1c3f2a10';
const good = credential({ payload: goodClaims({}, Math.floor(Date.now() / 1000)) });

async function withGateway(
  env: NonNullable<GatewayOptions['env']>,
  use: (gateway: Gateway) => Promise<void>,
): Promise<void> {
  const gateway = await startGateway({ env });
  try {
    await use(gateway);
  } finally {
    await gateway.dispose();
  }
}

function requestLines(gateway: Gateway) {
  const lines = gateway.stderr().split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request');
}

/** Some requests to each listener, in order: what each was, as its line should say it. */
async function ask(gateway: Gateway): Promise<readonly object[]> {
  const trace = { traceparent: `00-${TRACE}-${PARENT}-01` };
  const ask = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    call(`${gateway.data}${path}`, { body, headers });
  const verified = await ask('/v1/verify', { credential: good }, { ...trace, 'x-request-id': UUID });
  expect(verified.headers.get('x-request-id')).toBe(UUID);
  const plain = await ask('/v1/verify', { credential: good });
  const batch = await ask('/v1/verify/batch', { credentials: [good] }, { 'x-request-id': 'Jean Dupont' });
  await ask('/v1/verify', { credential: 1 }, { traceparent: `00-${TRACE}-${PARENT}-01-x` });
  await exchangeRaw(gateway.dataPort, [head('GET /v1/x?jti=y HTTP/1.1', 'Host: x', 'X-Request-Id: dupont')]);
  await call(`${gateway.admin}/admin/v1/status/summary`, {});
  const made = batch.headers.get('x-request-id');
  return [
    { listener: 'data', route: 'verify', status: 200, requestId: UUID, traceId: TRACE, parentId: PARENT },
    { listener: 'data', route: 'verify', status: 200, requestId: plain.headers.get('x-request-id') },
    { listener: 'data', route: 'verify_batch', status: 200, requestId: made },
    { listener: 'data', route: 'verify', status: 400 },
    { listener: 'data', route: 'none', status: 404 },
    { listener: 'admin', route: 'status_summary', status: 200 },
  ];
}

describe('the access log', () => {
  it('has a line for each request where one in one is asked for', async () => {
    await withGateway({ VIGIE_ACCESS_LOG_ONE_IN: '1' }, async (gateway) => {
      const expected = await ask(gateway);
      await until(() => requestLines(gateway).length >= expected.length);
      const lines = requestLines(gateway);
      const byListener = (entries: readonly object[], listener: string) =>
        entries.filter((entry) => (entry as { listener: string }).listener === listener);
      for (const listener of ['data', 'admin']) {
        expect(byListener(lines, listener)).toMatchObject(byListener(expected, listener));
      }
      // What was invalid, or may be a name, is not among them.
      expect(lines.filter(({ traceId }) => traceId !== undefined)).toHaveLength(1);
      expect(lines.find(({ status }) => status === 404)).not.toHaveProperty('requestId');
      expect(gateway.stderr()).not.toMatch(/dupont|jti/i);
      const members = new Set(lines.flatMap((line) => Object.keys(line)));
      const known =
        'level time service msg listener route status ms bodyBytes requestId traceId parentId oneIn';
      expect([...members].filter((member) => !known.split(' ').includes(member))).toEqual([]);
      for (const { ms, bodyBytes } of lines) expect([ms >= 0, bodyBytes >= 0]).toEqual([true, true]);
    });
  });

  it('has lines for what is refused at the door, beside those for what is served', async () => {
    const caller: TestCaller = {
      name: 'one-only',
      scopes: ['verify'],
      quota: { perSecond: 0.01, burst: 1 },
      keys: [oneKey()],
    };
    const files = callersFile([caller]);
    try {
      await withGateway({ ...files.env, VIGIE_ACCESS_LOG_ONE_IN: '1' }, async (gateway) => {
        const trace = { traceparent: `00-${TRACE}-${PARENT}-01`, 'x-request-id': UUID };
        const ask = (path: string, headers: Record<string, string>) =>
          call(`${gateway.data}${path}`, { body: { credential: good }, headers });
        await ask('/v1/verify', trace);
        await ask('/v1/verify/batch', bearer(caller));
        await ask('/v1/verify', bearer(caller));
        await ask('/v1/verify', { ...bearer(caller), 'x-request-id': 'dupont' });
        await until(() => requestLines(gateway).length >= 4);
        const [stranger, scope, served, quota] = requestLines(gateway);
        const known = { requestId: UUID, traceId: TRACE, parentId: PARENT };
        expect(stranger).toMatchObject({
          listener: 'data',
          route: 'verify',
          status: 401,
          oneIn: 1,
          ...known,
        });
        expect(scope).toMatchObject({ route: 'verify_batch', status: 403, requestId: expect.any(String) });
        expect(served).toMatchObject({ route: 'verify', status: 200 });
        expect(quota).toMatchObject({ route: 'verify', status: 429 });
        expect(quota.bodyBytes).toBeGreaterThan(good.length);
        expect(quota).not.toHaveProperty('requestId');
      });
    } finally {
      files.dispose();
    }
  });

  it.each([
    ['by default', {}],
    ['below the level that is logged', { VIGIE_ACCESS_LOG_ONE_IN: '1', VIGIE_LOG_LEVEL: 'warn' }],
  ])('has none %s', async (_when, env) => {
    await withGateway(env, async (gateway) => {
      await ask(gateway);
      gateway.signal('SIGTERM');
      expect((await gateway.ended).code).toBe(0);
      expect(requestLines(gateway)).toEqual([]);
    });
  });
});
