/** Clients that hold connections and do little with them, and a process with few descriptors: others are served. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { call, changeStatus, scrape, until } from '../../support/call.ts';
import { type Gateway, startGateway } from '../../support/gateway.ts';
import { mustBeServed, startHonestCalls } from '../../support/honest-calls.ts';
import { head, open } from '../../support/raw-http.ts';
import { credential, goodClaims, ISS } from '../../support/synthetic-issuer.ts';

const TIMEOUT_MS = 120_000;
const CAP = 1_500;
const IDLE = 20_000;
const SLOW = 300;
const SLOW_READERS = 12;
const DESCRIPTORS = 256;
/** Much more than the process's own noise, much less than what bodies or answers without a bound would come to. */
const GROWTH_MIB = 200;

let gateway: Gateway;
const opened: Socket[] = [];

beforeEach(async () => {
  gateway = await startGateway({
    env: {
      VIGIE_WORKERS: '2',
      VIGIE_MAX_CONNECTIONS: `${CAP}`,
      VIGIE_BODY_TIMEOUT_MS: '3000',
      VIGIE_ANSWER_TIMEOUT_MS: '3000',
    },
  });
});
afterEach(async () => {
  for (const socket of opened.splice(0)) socket.destroy();
  await gateway?.dispose();
});

async function connect(): Promise<Socket> {
  const socket = await open(gateway.dataPort);
  opened.push(socket);
  return socket;
}

const sample = async (name: string): Promise<number> => (await scrape(gateway.metrics)).get(name) ?? 0;
const residentMiB = async (): Promise<number> =>
  (await sample('vigie_process_resident_memory_bytes')) / 1024 ** 2;

/** Honest callers beside a fault, who were there before it; afterwards nothing of it is left. */
async function beside(fault: () => Promise<void>): Promise<void> {
  const before = await residentMiB();
  const honest = startHonestCalls(() => [gateway]);
  await until(() => honest.right() > 20);
  await fault();
  const growth = (await residentMiB()) - before;
  mustBeServed(await honest.stop());
  expect(growth).toBeLessThan(GROWTH_MIB);
  for (const socket of opened.splice(0)) socket.destroy();
  // The honest callers' own are closed when they have been idle for long enough.
  await until(async () => (await sample('vigie_connections')) === 0);
  await until(async () => (await sample('vigie_requests_in_flight')) === 1);
  expect(await sample('vigie_unexpected_errors_total')).toBe(0);
}

const HEAD = (length: number, ...more: string[]): string =>
  head(
    'POST /v1/verify/batch HTTP/1.1',
    ...['Host: x', 'Content-Type: text/plain', `Content-Length: ${length}`, ...more],
  );

it(
  `${IDLE} idle connections: no more than the cap are kept, whoever was there before is served`,
  () =>
    beside(async () => {
      for (let count = 0; count < IDLE; count += 250) {
        const batch = Array.from({ length: 250 }, () => connect().catch(() => undefined));
        for (const socket of await Promise.all(batch)) socket?.resume();
        if (count % 5_000 === 0) expect(await sample('vigie_connections')).toBeLessThanOrEqual(2 * CAP);
      }
      expect(await sample('vigie_connections')).toBeLessThanOrEqual(2 * CAP);
      expect(await sample('vigie_connections_refused_total')).toBeGreaterThan(IDLE / 2);
    }),
  TIMEOUT_MS,
);

it(
  'slow heads: a header a second from each, until the parser has had enough',
  () =>
    beside(async () => {
      const sockets = await Promise.all(Array.from({ length: SLOW }, connect));
      for (const socket of sockets) socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n');
      for (let second = 0; second < 6; second++) {
        for (const [i, socket] of sockets.entries()) socket.write(`X-${second}: ${'a'.repeat(i % 900)}\r\n`);
        await sleep(1_000);
      }
      // What never comes to its end is never a request.
      expect(await sample('vigie_requests_in_flight')).toBeLessThan(SLOW / 2);
    }),
  TIMEOUT_MS,
);

it(
  'slow bodies: each gets 408 when its whole time is up',
  () =>
    beside(async () => {
      const sockets = await Promise.all(Array.from({ length: SLOW }, connect));
      const answers: string[] = [];
      for (const socket of sockets) {
        socket.on('data', (chunk: Buffer) => answers.push(chunk.toString('latin1').slice(0, 12)));
        socket.write(HEAD(1_000));
      }
      const drip = setInterval(() => {
        for (const socket of sockets) if (!socket.destroyed) socket.write('x');
      }, 500);
      try {
        await until(() => answers.length >= SLOW);
      } finally {
        clearInterval(drip);
      }
      expect(new Set(answers)).toEqual(new Set(['HTTP/1.1 408']));
    }),
  TIMEOUT_MS,
);

it(
  'slow readers: answers that nobody takes are cut off, and their memory is free again',
  () =>
    beside(async () => {
      const claims = goodClaims({ filler: 'x'.repeat(800) }, Math.floor(Date.now() / 1000));
      const lines = `${credential({ payload: claims })}\n`.repeat(10_000);
      const sockets = await Promise.all(Array.from({ length: SLOW_READERS }, connect));
      const closed = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
      for (const socket of sockets) {
        socket.pause();
        socket.write(HEAD(lines.length) + lines);
      }
      // Some seconds of silence, then the end: a paused socket sees it only when it reads again.
      await until(async () => (await sample('vigie_requests_in_flight')) >= 2);
      await until(async () => (await sample('vigie_requests_in_flight')) < 10);
      for (const socket of sockets) socket.resume();
      await Promise.all(closed);
    }),
  TIMEOUT_MS,
);

it(
  `${DESCRIPTORS} descriptors: those who have a connection are served, and changes are made; the others wait outside`,
  () =>
    beside(async () => {
      // By whoever may look into it, who is root: with none left it could not count them itself.
      const descriptors = (): number => readdirSync(`/proc/${gateway.pid}/fd`).length;
      // The first change opens the audit trail's file of the day; one that finds no descriptor for it is refused, with 503.
      await changeStatus(gateway.admin, { iss: ISS, jti: 'before', status: 'revoked' });
      execFileSync('prlimit', ['--pid', `${gateway.pid}`, `--nofile=${DESCRIPTORS}:`]);
      // The kernel accepts for it into the backlog; it has no descriptor for most of them.
      await Promise.all(Array.from({ length: 2 * DESCRIPTORS }, () => connect().catch(() => undefined)));
      // All taken, but for what comes and goes.
      await until(() => descriptors() > DESCRIPTORS - 16);
      await sleep(2_000);
      expect(descriptors()).toBeLessThanOrEqual(DESCRIPTORS);
      await changeStatus(gateway.admin, { iss: ISS, jti: 'few', status: 'revoked' });
      for (const socket of opened.splice(0)) socket.destroy();
      // Room again: somebody new is served.
      expect((await call(`${gateway.data}/healthz`, { headers: { connection: 'close' } })).status).toBe(200);
    }),
  TIMEOUT_MS,
);
