/** A data-plane thread that hangs, ends or throws is replaced: no call is left without an answer or a closed connection. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, type TestContext } from 'vitest';
import { call, changeStatus, scrape, until } from '../support/call.ts';
import { type Gateway, startGateway, type WorkerFault, workerFault } from '../support/gateway.ts';
import { head, open, parseAnswers } from '../support/raw-http.ts';
import { credential, goodClaims, ISS } from '../support/synthetic-issuer.ts';

const NOW = Math.floor(Date.now() / 1000);
const bodyOf = (jti: string): string =>
  JSON.stringify({ credential: credential({ payload: goodClaims({ jti }, NOW) }) });
const BODY = bodyOf('replaced');
const HEAD = head(
  'POST /v1/verify HTTP/1.1',
  'Host: x',
  'Content-Type: application/json',
  `Content-Length: ${BODY.length}`,
);

type Connection = Awaited<ReturnType<typeof open>>;

interface Broken {
  readonly gateway: Gateway;
  /** Lets the fault happen. */
  strike(): void;
}

async function startWithFault(
  { onTestFinished }: TestContext,
  fault: WorkerFault,
  env: Record<string, string> = {},
): Promise<Broken> {
  const dir = mkdtempSync(join(tmpdir(), 'vigie-test-'));
  const file = join(dir, 'now');
  const gateway = await startGateway({
    env: {
      VIGIE_WORKERS: '2',
      VIGIE_WORKER_HANG_MS: '1000',
      VIGIE_WORKER_HEAP_MB: '64',
      ...workerFault(fault, file),
      ...env,
    },
  });
  onTestFinished(async () => {
    await gateway.dispose();
    rmSync(dir, { recursive: true });
  });
  return { gateway, strike: () => writeFileSync(file, '') };
}

/** A connection's whole story: everything that came, and whether it is closed. */
function watch(connection: Connection): { text: () => string; isClosed: () => boolean } {
  let text = '';
  let closed = false;
  connection.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  connection.on('error', () => {});
  connection.once('close', () => {
    closed = true;
  });
  return { text: () => text, isClosed: () => closed };
}

/** Asks over and over, on one connection for as long as it holds; counts what came of it. */
function startCaller(gateway: Gateway) {
  const seen = { answers: new Map<number, number>(), closed: 0, unanswered: 0 };
  let stopped = false;
  const askOn = async (connection: Connection): Promise<void> => {
    const story = watch(connection);
    while (!stopped && !story.isClosed()) {
      const before = parseAnswers(story.text()).length;
      connection.write(HEAD + BODY);
      await until(() => story.isClosed() || parseAnswers(story.text()).length > before);
      const answers = parseAnswers(story.text());
      const status = answers[before]?.status;
      if (status === undefined) seen.closed++;
      else seen.answers.set(status, (seen.answers.get(status) ?? 0) + 1);
    }
    connection.destroy();
  };
  const done = (async () => {
    while (!stopped) {
      const connection = await open(gateway.dataPort).catch(() => undefined);
      if (connection === undefined) return;
      await askOn(connection);
    }
  })();
  return {
    seen,
    stop: async () => {
      stopped = true;
      await done;
    },
  };
}

const restartsFor = async (gateway: Gateway, why: string): Promise<number> =>
  (await scrape(gateway.metrics)).get(`vigie_worker_restarts_total{why="${why}"}`) ?? 0;

/** Two threads serve again, each under its own request ids. */
async function servesWithTwo(gateway: Gateway): Promise<void> {
  await until(async () => (await scrape(gateway.metrics)).get('vigie_workers') === 2);
  const threads = new Set<string>();
  for (let round = 0; round < 8; round++) {
    const connection = await open(gateway.dataPort);
    const story = watch(connection);
    connection.write(HEAD + BODY);
    await until(() => parseAnswers(story.text()).length === 1);
    const [answer] = parseAnswers(story.text());
    expect(answer?.status).toBe(200);
    threads.add(answer?.headers['x-request-id']?.slice(0, 12) ?? '');
    connection.destroy();
  }
  expect(threads.size).toBe(2);
}

const FAULTS = [
  ['loops', 'silent'],
  ['hoards', 'out_of_memory'],
  ['exits', 'exit'],
  ['throws-once', 'uncaught'],
] as const;

describe.each(FAULTS)('a worker that %s', (fault, why) => {
  it('is replaced under load; every call is answered or its connection closed', async (test) => {
    const { gateway, strike } = await startWithFault(test, fault);
    const callers = Array.from({ length: 12 }, () => startCaller(gateway));
    // Half a request each: in flight on either thread.
    const begun = await Promise.all(Array.from({ length: 10 }, () => open(gateway.dataPort)));
    const stories = begun.map(watch);
    for (const connection of begun) connection.write(HEAD + BODY.slice(0, 9));
    const answered = (): number =>
      callers.reduce((sum, { seen }) => sum + (seen.answers.get(200) ?? 0), 0);
    await until(() => answered() > 100);
    await until(async () => ((await scrape(gateway.metrics)).get('vigie_requests_in_flight') ?? 0) >= 10);
    strike();
    const before = answered();
    // The other thread answers meanwhile, and a change is enforced and acknowledged.
    await changeStatus(gateway.admin, { iss: ISS, jti: 'withdrawn', status: 'revoked' });
    await until(() => answered() > before + 50);
    await until(async () => (await restartsFor(gateway, why)) === 1);
    // Whoever is still there is on a thread that answers.
    await until(() => {
      for (const [index, connection] of begun.entries()) {
        if (stories[index]?.text() === '' && !connection.destroyed && connection.writableLength === 0) {
          connection.write(connection.bytesWritten < HEAD.length + BODY.length ? BODY.slice(9) : '');
        }
      }
      return stories.every(({ text, isClosed }) => isClosed() || parseAnswers(text()).length === 1);
    });
    await servesWithTwo(gateway);
    const later = answered();
    await until(() => answered() > later + 100);
    for (const caller of callers) await caller.stop();
    for (const connection of begun) connection.destroy();

    // None but the scrape itself.
    await until(async () => (await scrape(gateway.metrics)).get('vigie_requests_in_flight') === 1);
    const metrics = await scrape(gateway.metrics);
    expect(metrics.get('vigie_verdicts_total{reason="ok",verdict="valid"}')).toBeGreaterThanOrEqual(answered());
    const statuses = new Set(callers.flatMap(({ seen }) => [...seen.answers.keys()]));
    expect(statuses).toEqual(new Set([200]));
    const { text } = await call(`${gateway.data}/v1/verify`, {
      body: { credential: credential({ payload: goodClaims({ jti: 'withdrawn' }, NOW) }) },
    });
    expect(text).toContain('"revoked"');
    expect(gateway.stderr()).not.toContain('CANARY');

    gateway.signal('SIGTERM');
    expect(await gateway.ended).toEqual({ code: 0, signal: null });
    expect(gateway.stderr()).toContain('"unanswered":0,"msg":"ended"');
  });
});
