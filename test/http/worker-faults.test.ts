/** Data-plane threads that break beyond help: the gateway ends in order, answers what it has begun, and says why. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { call, until } from '../support/call.ts';
import {
  type Gateway,
  type GatewayOptions,
  logLines,
  startGateway,
  workerFault,
} from '../support/gateway.ts';
import { head, open, parseAnswers } from '../support/raw-http.ts';
import { credential, goodClaims } from '../support/synthetic-issuer.ts';

const BODY = JSON.stringify({
  credential: credential({ payload: goodClaims({}, Math.floor(Date.now() / 1000)) }),
});
const HEAD = head(
  'POST /v1/verify HTTP/1.1',
  'Host: x',
  'Content-Type: application/json',
  `Content-Length: ${BODY.length}`,
);

/** How a start ended that must not come to be ready: exit code and everything logged. */
async function failedStart(options: GatewayOptions): Promise<{ code: string; stderr: string }> {
  const failure = await startGateway(options).then(
    (gateway) => gateway.dispose().then(() => 'it started'),
    (error: Error) => error.message,
  );
  const [, code = failure, stderr = ''] = /ended with (\S+) before it was ready:\n(.*)/s.exec(failure) ?? [];
  return { code, stderr };
}

/** The lines for people; the others are the log's. */
const said = (stderr: string): string[] =>
  stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'));

/** What a connection answers until the gateway closes it. */
async function askOnce(gateway: Gateway): Promise<number | undefined> {
  const socket = await open(gateway.dataPort).catch(() => undefined);
  if (socket === undefined) return undefined;
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    if (parseAnswers(Buffer.concat(chunks).toString('latin1')).length > 0) socket.end();
  });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(HEAD);
  await new Promise(setImmediate);
  socket.write(BODY);
  await closed;
  return parseAnswers(Buffer.concat(chunks).toString('latin1'))[0]?.status ?? 0;
}

describe.concurrent('an error that nobody caught in a worker', () => {
  it.for([
    { where: 'whatever thread takes its place', env: {}, why: 'workers end again and again' },
    {
      where: 'where there is no native code',
      env: { FAULT_NO_ADDON: '1', VIGIE_ENGINE: 'openssl' },
      why: 'an error that nobody caught in a worker',
    },
  ])(
    'drains a gateway under load $where: every request begun is answered, exit code 3',
    async ({ env, why }, { onTestFinished }) => {
      const dir = mkdtempSync(join(tmpdir(), 'vigie-test-'));
      const gateway = await startGateway({
        env: { VIGIE_WORKERS: '2', ...workerFault('throws', join(dir, 'now')), ...env },
      });
      onTestFinished(async () => {
        await gateway.dispose();
        rmSync(dir, { recursive: true });
      });
      let stopped = false;
      const answers: number[] = [];
      const callers = Array.from({ length: 8 }, async () => {
        for (;;) {
          const status = stopped ? undefined : await askOnce(gateway);
          if (status === undefined) return;
          answers.push(status);
        }
      });
      await until(() => answers.length > 100);
      writeFileSync(join(dir, 'now'), '');
      await until(async () => (await call(`${gateway.metrics}/readyz`)).status === 503);
      // As many more as it answers before it ends, which on a busy machine may be few.
      const before = answers.length;
      let hasEnded = false;
      void gateway.ended.then(() => {
        hasEnded = true;
      });
      await until(() => hasEnded || answers.length > before + 20);
      stopped = true;
      await Promise.all(callers);
      expect(new Set(answers)).toEqual(new Set([200]));
      expect(await gateway.ended).toEqual({ code: 3, signal: null });

      const lines = logLines(gateway);
      const fatal = lines.filter(({ level }) => level === 'fatal');
      expect(fatal).toEqual([expect.objectContaining({ msg: 'draining', why })]);
      const uncaught = lines.filter(({ msg }) => msg === 'an error that nobody caught in a worker');
      // Once for each thread, though each threw many times.
      const replaced = lines.filter(({ msg }) => msg === 'a worker is replaced');
      expect(uncaught.length).toBeGreaterThanOrEqual(2);
      expect(replaced.length).toBe(uncaught.length);
      expect(uncaught[0]).toMatchObject({
        error: 'TypeError',
        at: expect.arrayContaining([expect.stringContaining('worker-faults')]),
      });
      expect(lines.at(-1)).toMatchObject({ msg: 'ended', unanswered: 0 });
      expect(gateway.stderr()).not.toContain('CANARY');
    },
  );
});

describe.concurrent('a worker that cannot start, while others live', () => {
  it.each([
    ['store' as const, 'the status store cannot be read'],
    ['load' as const, 'a worker ended while it started'],
  ])('ends the start with 3 and one line: %s', async (fault, line) => {
    const { code, stderr } = await failedStart({ env: { VIGIE_WORKERS: '3', ...workerFault(fault) } });
    expect(code).toBe('3');
    expect(said(stderr)).toEqual([expect.stringContaining(line)]);
    expect(stderr).not.toContain('CANARY');
  });
});

describe.concurrent('SIGTERM during the start', () => {
  /** Sends it once the log says so, and again, as an impatient supervisor does. */
  const terminateAt =
    (text: string, times = 1): Required<GatewayOptions>['whileStarting'] =>
    ({ stderr, signal }) => {
      void until(() => stderr().includes(text)).then(() => {
        for (let sent = 0; sent < times; sent++) signal('SIGTERM');
      });
    };
  const orderly = ({ code, stderr }: { code: string; stderr: string }): void => {
    expect(code).toBe('0');
    expect(said(stderr)).toEqual([]);
    expect(stderr).toContain('"why":"SIGTERM","msg":"ended before it was ready"');
  };

  it('ends it with 0 while workers come up, without a ready line', async () => {
    const env = { VIGIE_WORKERS: '3', ...workerFault('slow') };
    orderly(await failedStart({ env, whileStarting: terminateAt('trust_list_taken', 2) }));
  });

  it('ends it with 0 at its first step', async () => {
    orderly(await failedStart({ whileStarting: terminateAt('engine chosen') }));
  });

  it('does not wait for a trust list that hangs', async ({ onTestFinished }) => {
    const server = await hangingServer();
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const trustList = `http://127.0.0.1:${(server.address() as AddressInfo).port}/list`;
    const startedAt = performance.now();
    const asked = new Promise((resolve) => server.once('request', resolve));
    const ended = await failedStart({
      trustList,
      env: { VIGIE_TRUST_LIST_TIMEOUT_MS: '60000' },
      whileStarting: ({ signal }) => void asked.then(() => signal('SIGTERM')),
    });
    orderly(ended);
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });
});

/** Accepts requests and never answers. */
async function hangingServer(): Promise<Server> {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
