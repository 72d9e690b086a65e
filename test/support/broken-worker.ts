/** A gateway with a data-plane thread that breaks on demand, and what its clients see of that. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type TestContext } from 'vitest';
import { scrape, until } from './call.ts';
import { type Gateway, startGateway, type WorkerFault, workerFault } from './gateway.ts';
import { head, open, parseAnswers } from './raw-http.ts';
import { credential, goodClaims } from './synthetic-issuer.ts';

const NOW = Math.floor(Date.now() / 1000);
export const bodyOf = (jti: string): string =>
  JSON.stringify({ credential: credential({ payload: goodClaims({ jti }, NOW) }) });
export const BODY = bodyOf('replaced');
export const HEAD = head(
  'POST /v1/verify HTTP/1.1',
  'Host: x',
  'Content-Type: application/json',
  `Content-Length: ${BODY.length}`,
);

type Connection = Awaited<ReturnType<typeof open>>;

export interface Broken {
  readonly gateway: Gateway;
  /** Lets the fault happen. */
  strike(): void;
  /** Lets it be over, where it lasts. */
  heal(): void;
  /** The thread is about to break, and does nothing else any more. */
  struck(): Promise<void>;
  /** Lets the next thread come up, where FAULT_NO_SUCCESSOR holds it. */
  letNext(): void;
}

export async function startWithFault(
  { onTestFinished }: TestContext,
  fault: WorkerFault,
  env: Record<string, string> = {},
): Promise<Broken> {
  const dir = mkdtempSync(join(tmpdir(), 'vigie-test-'));
  const file = join(dir, 'now');
  const gateway = await startGateway({
    env: {
      VIGIE_WORKERS: '2',
      VIGIE_WORKER_HANG_MS: '2000',
      VIGIE_WORKER_HEAP_MB: '64',
      ...workerFault(fault, file),
      ...env,
    },
  });
  onTestFinished(async () => {
    await gateway.dispose();
    rmSync(dir, { recursive: true });
  });
  return {
    gateway,
    strike: () => writeFileSync(file, ''),
    heal: () => rmSync(file),
    letNext: () => writeFileSync(`${file}.go`, ''),
    struck: () => until(() => existsSync(`${file}.struck`)),
  };
}

/** A connection's whole story: everything that came, and whether it is closed. */
export function watch(connection: Connection): { text: () => string; isClosed: () => boolean } {
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
export function startCaller(gateway: Gateway) {
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

export const restartsFor = async (gateway: Gateway, why: string): Promise<number> =>
  (await scrape(gateway.metrics)).get(`vigie_worker_restarts_total{why="${why}"}`) ?? 0;

/** The threads that answer on new connections, each by the beginning of its request ids. */
export async function threadsOf(gateway: Gateway): Promise<Set<string>> {
  const threads = new Set<string>();
  for (let round = 0; round < 8; round++) {
    const connection = await open(gateway.dataPort);
    const story = watch(connection);
    connection.write(HEAD + BODY);
    await until(() => story.isClosed() || parseAnswers(story.text()).length === 1);
    for (const { status, headers } of parseAnswers(story.text())) {
      expect(status).toBe(200);
      threads.add(headers['x-request-id']?.slice(0, 12) ?? '');
    }
    connection.destroy();
  }
  return threads;
}

/** One of the two threads was replaced, the other was not, and nobody else answers any more. */
export async function becomesTwoAgain(gateway: Gateway, before: ReadonlySet<string>): Promise<void> {
  expect(before.size).toBe(2);
  await until(async () => {
    const now = await threadsOf(gateway);
    return now.size === 2 && [...now].filter((thread) => before.has(thread)).length === 1;
  });
  expect((await scrape(gateway.metrics)).get('vigie_workers')).toBe(2);
}
