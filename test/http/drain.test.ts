/** The end of a gateway: every accepted request is answered, /readyz says 503 at once, exit code 0 in time. */
import { describe, expect, it, type TestContext } from 'vitest';
import { call, changeStatus, reasonOf, scrape, until } from '../support/call.ts';
import { FASTEST_ENGINE, type Gateway, type GatewayOptions, startGateway } from '../support/gateway.ts';
import { exchangeRaw, head, open, parseAnswers } from '../support/raw-http.ts';
import { credential, goodClaims, ISS } from '../support/synthetic-issuer.ts';

const GOOD = credential({ payload: goodClaims({}, Math.floor(Date.now() / 1000)) });
const BODY = JSON.stringify({ credential: GOOD });
const HEAD = head(
  'POST /v1/verify HTTP/1.1',
  'Host: x',
  'Content-Type: application/json',
  `Content-Length: ${BODY.length}`,
);

/** Each test has a gateway of its own, so that all can run at once. */
async function start({ onTestFinished }: TestContext, options?: GatewayOptions): Promise<Gateway> {
  const gateway = await startGateway(options);
  onTestFinished(() => gateway.dispose());
  return gateway;
}

/** Collects what a connection answers until the gateway closes it. */
function everything(socket: Awaited<ReturnType<typeof open>>): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    socket.once('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
  });
}

async function inFlight(gateway: Gateway, count: number): Promise<void> {
  // The scrape itself is one.
  await until(async () => (await scrape(gateway.metrics)).get('vigie_requests_in_flight') === count + 1);
}

/** A batch whose answer is several times what the kernel takes in advance. */
function largeBatch(accept: string): string {
  const claims = { ...goodClaims({}, Math.floor(Date.now() / 1000)), filler: 'x'.repeat(800) };
  const body = JSON.stringify({ credentials: Array(10_000).fill(credential({ payload: claims })) });
  const lines = ['Host: x', 'Content-Type: application/json', `Accept: ${accept}`];
  return head('POST /v1/verify/batch HTTP/1.1', ...lines, `Content-Length: ${body.length}`) + body;
}

async function verified(gateway: Gateway, items: number): Promise<void> {
  const name = 'vigie_verdicts_total{reason="ok",verdict="valid"}';
  await until(async () => (await scrape(gateway.metrics)).get(name) === items);
}

describe.concurrent('at SIGTERM', () => {
  it('an idle gateway ends with 0, and says so', async (test) => {
    const { expect } = test;
    const gateway = await start(test);
    gateway.signal('SIGTERM');
    expect(await gateway.ended).toEqual({ code: 0, signal: null });
    expect(gateway.stderr()).toContain('"msg":"draining"');
    expect(gateway.stderr()).toContain('"unanswered":0,"msg":"ended"');
  });

  it('SIGINT is the same', async (test) => {
    const { expect } = test;
    const gateway = await start(test);
    gateway.signal('SIGINT');
    expect(await gateway.ended).toEqual({ code: 0, signal: null });
  });

  it('heads read before are answered when their bodies arrive, on every worker', async (test) => {
    const { expect } = test;
    const gateway = await start(test, { env: { VIGIE_WORKERS: '3' } });
    const sockets = await Promise.all(Array.from({ length: 12 }, () => open(gateway.dataPort)));
    const texts = sockets.map(everything);
    for (const [index, socket] of sockets.entries()) socket.write(HEAD + BODY.slice(0, index * 20));
    await inFlight(gateway, sockets.length);

    gateway.signal('SIGTERM');
    await until(async () => (await call(`${gateway.metrics}/readyz`)).status === 503);
    const unready = await call(`${gateway.data}/readyz`);
    expect([unready.status, unready.headers.get('connection')]).toEqual([503, 'close']);
    expect(unready.json).toMatchObject({ type: 'not-ready', reasons: ['draining'] });
    expect((await call(`${gateway.data}/healthz`)).status).toBe(200);
    // Last requests of a load balancer that has not noticed yet are served too.
    expect(await reasonOf(gateway.data, GOOD)).toBe('ok');

    for (const [index, socket] of sockets.entries()) socket.write(BODY.slice(index * 20));
    for (const text of await Promise.all(texts)) {
      const [answer] = parseAnswers(text);
      expect([answer?.status, answer?.headers.connection]).toEqual([200, 'close']);
      expect(JSON.parse(answer?.body ?? '').reason).toBe('ok');
    }
    expect(await gateway.ended).toEqual({ code: 0, signal: null });
    expect(gateway.stderr()).toContain('"unanswered":0,"msg":"ended"');
  });

  it('a body that rests for longer than bodies may is waited for', async (test) => {
    const { expect } = test;
    const gateway = await start(test, { env: { VIGIE_BODY_IDLE_TIMEOUT_MS: '1000' } });
    const socket = await open(gateway.dataPort);
    const text = everything(socket);
    socket.write(HEAD + BODY.slice(0, 20));
    await inFlight(gateway, 1);
    gateway.signal('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    socket.write(BODY.slice(20));
    expect(parseAnswers(await text)[0]?.status).toBe(200);
    expect(await gateway.ended).toEqual({ code: 0, signal: null });
  });

  it('a batch under way on the slowest engine is finished', async (test) => {
    const { expect } = test;
    // How long that takes is the machine's affair: on a busy one longer than a drain lasts by default.
    const env = { VIGIE_ENGINE: 'noble', VIGIE_DRAIN_TIMEOUT_MS: '60000' };
    const gateway = await start(test, { env });
    const answer = call<{ summary: object }>(`${gateway.data}/v1/verify/batch`, {
      body: { credentials: Array(1_500).fill(GOOD) },
    });
    await inFlight(gateway, 1);
    gateway.signal('SIGTERM');
    expect((await answer).json.summary).toEqual({ valid: 1_500 });
    expect(await gateway.ended).toEqual({ code: 0, signal: null });
  }, 90_000);

  it.each(['application/json', 'application/x-ndjson'])(
    'a large answer reaches a client that reads late, whole: %s',
    async (accept) => {
      const gateway = await startGateway({ env: FASTEST_ENGINE });
      const socket = await open(gateway.dataPort);
      socket.pause();
      const batch = largeBatch(accept);
      socket.write(batch.slice(0, -1));
      await inFlight(gateway, 1);
      gateway.signal('SIGTERM');
      await until(async () => (await call(`${gateway.metrics}/readyz`)).status === 503);
      // Whole only now, so that its answer is one of the drain's, however fast the engine.
      socket.write(batch.slice(-1));
      await verified(gateway, 10_000);
      // What the kernel takes has gone out by now; the rest waits in the gateway, and the drain for it.
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      expect(gateway.stderr()).not.toContain('"msg":"ended"');
      const text = everything(socket);
      socket.resume();
      const [answer] = parseAnswers(await text);
      expect([answer?.status, answer?.headers.connection]).toEqual([200, 'close']);
      const reasons = answer?.body.match(/"reason":"ok"/g);
      expect(reasons).toHaveLength(10_000);
      expect(await gateway.ended).toEqual({ code: 0, signal: null });
      expect(gateway.stderr()).toContain('"unanswered":0,"msg":"ended"');
      await gateway.dispose();
    },
  );

  it('a large answer that nobody reads is told of as unanswered, and the exit is in time', async (test) => {
    const { expect } = test;
    const gateway = await start(test, { env: { ...FASTEST_ENGINE, VIGIE_DRAIN_TIMEOUT_MS: '2000' } });
    const socket = await open(gateway.dataPort);
    socket.pause();
    socket.write(largeBatch('application/json'));
    await verified(gateway, 10_000);
    gateway.signal('SIGTERM');
    expect(await gateway.ended).toEqual({ code: 0, signal: null });
    expect(gateway.stderr()).toContain('"unanswered":1,"msg":"ended"');
    socket.destroy();
  });

  it('a request that never ends is given up when the time is up, and the exit is orderly', async (test) => {
    const { expect } = test;
    const gateway = await start(test, {
      env: { VIGIE_DRAIN_TIMEOUT_MS: '2000', VIGIE_BODY_IDLE_TIMEOUT_MS: '7000' },
    });
    const socket = await open(gateway.dataPort);
    const text = everything(socket);
    socket.write(HEAD);
    await inFlight(gateway, 1);
    gateway.signal('SIGTERM');
    expect(await gateway.ended).toEqual({ code: 0, signal: null });
    expect(await text).toBe('');
    expect(gateway.stderr()).toContain('"unanswered":1,"msg":"ended"');
  });

  it('idle connections do not hold it up', async (test) => {
    const { expect } = test;
    const gateway = await start(test);
    const sockets = await Promise.all(Array.from({ length: 20 }, () => open(gateway.dataPort)));
    const closed = sockets.map(everything);
    await exchangeRaw(gateway.dataPort, [HEAD + BODY]);
    gateway.signal('SIGTERM');
    expect(await gateway.ended).toEqual({ code: 0, signal: null });
    expect(new Set(await Promise.all(closed))).toEqual(new Set(['']));
  });

  it('a second one changes nothing', async (test) => {
    const { expect } = test;
    const gateway = await start(test, { env: { VIGIE_WORKERS: '2' } });
    const socket = await open(gateway.dataPort);
    const text = everything(socket);
    socket.write(HEAD);
    await inFlight(gateway, 1);
    gateway.signal('SIGTERM');
    await until(async () => (await call(`${gateway.metrics}/readyz`)).status === 503);
    gateway.signal('SIGTERM');
    await call(`${gateway.metrics}/healthz`);
    socket.write(BODY);
    expect(parseAnswers(await text)[0]?.status).toBe(200);
    expect(await gateway.ended).toEqual({ code: 0, signal: null });
  });

  it('under load every request that was begun is answered', async (test) => {
    const { expect } = test;
    const gateway = await start(test, { env: { VIGIE_WORKERS: '2' } });
    let stopped = false;
    const answers: number[] = [];
    const caller = async (): Promise<void> => {
      // Each on a connection of its own; a refused connection was not accepted, a torn one is a loss.
      while (!stopped) {
        const socket = await open(gateway.dataPort).catch(() => undefined);
        if (socket === undefined) break;
        const text = everything(socket);
        socket.write(HEAD);
        await new Promise(setImmediate);
        socket.write(BODY);
        socket.once('data', () => socket.end());
        answers.push(parseAnswers(await text)[0]?.status ?? 0);
      }
    };
    const callers = Array.from({ length: 8 }, caller);
    await until(() => answers.length > 100);
    gateway.signal('SIGTERM');
    await until(async () => (await call(`${gateway.metrics}/readyz`)).status === 503);
    const before = answers.length;
    await until(() => answers.length > before + 20);
    stopped = true;
    await Promise.all(callers);
    expect(new Set(answers)).toEqual(new Set([200]));
    expect(await gateway.ended).toEqual({ code: 0, signal: null });
  });

  it('revocations acknowledged while it drains are kept', async (test) => {
    const { expect } = test;
    const gateway = await start(test);
    const socket = await open(gateway.dataPort);
    socket.write(HEAD);
    await inFlight(gateway, 1);
    gateway.signal('SIGTERM');
    await until(async () => (await call(`${gateway.metrics}/readyz`)).status === 503);
    await changeStatus(gateway.admin, { iss: ISS, jti: 'card-1', status: 'revoked' });
    const text = everything(socket);
    socket.write(BODY);
    expect(JSON.parse(parseAnswers(await text)[0]?.body ?? '').reason).toBe('revoked');
    expect((await gateway.ended).code).toBe(0);
  });
});
