/**
 * Batches that arrive faster than they are verified: their clients are made to wait, which no clock holds against them,
 * and those that leave meanwhile are given up.
 */
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, reasonOf, scrape, until } from '../../support/call.ts';
import { type Gateway, startGateway } from '../../support/gateway.ts';
import { head, open, parseAnswers, type RawAnswer } from '../../support/raw-http.ts';
import { credential, goodClaims } from '../../support/synthetic-issuer.ts';

const GOOD = credential({ payload: goodClaims({}, Math.floor(Date.now() / 1000)) });
const LINE = `${GOOD}\n`;
/** More than waits unverified in a gateway, which the slowest engine has to do for seconds. */
const SENT = LINE.repeat(Math.ceil((0.9 * 1024 * 1024) / LINE.length));
const SENT_ITEMS = SENT.length / LINE.length;
const REST = LINE.repeat(100);
/** Both shorter than such a wait. */
const IDLE_TIMEOUT_MS = 500;
const TIMEOUT_MS = 1_000;

async function verified(gateway: Gateway): Promise<number> {
  return (await scrape(gateway.metrics)).get('vigie_verdicts_total{reason="ok",verdict="valid"}') ?? 0;
}

async function inFlight(gateway: Gateway): Promise<number | undefined> {
  return (await scrape(gateway.metrics)).get('vigie_requests_in_flight');
}

function answerOn(socket: Socket): Promise<RawAnswer> {
  let text = '';
  return new Promise((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const [answer] = parseAnswers(text);
      if (answer !== undefined) resolve(answer);
    });
    socket.on('close', () => reject(new Error('closed without an answer')));
  });
}

describe('a batch whose client is made to wait, on the slowest engine', () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startGateway({
      env: {
        VIGIE_ENGINE: 'noble',
        VIGIE_BODY_IDLE_TIMEOUT_MS: `${IDLE_TIMEOUT_MS}`,
        VIGIE_BODY_TIMEOUT_MS: `${TIMEOUT_MS}`,
      },
    });
  });
  afterAll(() => gateway?.dispose());

  /** Sends all but the end; resolves when much of that waits to be verified, after longer than the timeouts. */
  const made = async () => {
    const before = await verified(gateway);
    const socket = await open(gateway.dataPort);
    const lines = ['Content-Type: text/plain', 'Accept: application/octet-stream'];
    lines.push(`Content-Length: ${SENT.length + REST.length}`);
    socket.write(head('POST /v1/verify/batch HTTP/1.1', 'Host: x', ...lines) + SENT);
    const sentAtMs = performance.now();
    const refused = answerOn(socket).then(({ status }) => Promise.reject(new Error(`answered ${status}`)));
    await Promise.race([until(async () => (await verified(gateway)) > before), refused]);
    refused.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 1.2 * TIMEOUT_MS));
    const done = (await verified(gateway)) - before;
    return { socket, done, before, sentAtMs };
  };

  it('is not late while it waits', async () => {
    const { socket, done } = await made();
    const answered = answerOn(socket);
    expect(done).toBeLessThan(SENT_ITEMS);
    socket.write(REST);
    const { status, body } = await answered;
    socket.destroy();
    expect([status, body]).toEqual([200, '\0'.repeat(SENT_ITEMS + 100)]);
  });

  it('is late when it sends nothing once it may again', async () => {
    const { socket, before } = await made();
    const answered = answerOn(socket);
    expect((await answered).status).toBe(408);
    socket.destroy();
    // Its clock stood still until no more than what may wait was left of what it had sent.
    const left = SENT_ITEMS - ((await verified(gateway)) - before);
    expect(left * LINE.length).toBeLessThanOrEqual(512 * 1024);
    expect(await inFlight(gateway)).toBe(1);
  });

  it.each(['destroy', 'resetAndDestroy', 'end'] as const)('is given up when it leaves: %s', async (leave) => {
    const { socket, before } = await made();
    socket[leave]();
    await until(async () => (await inFlight(gateway)) === 1);
    expect((await verified(gateway)) - before).toBeLessThanOrEqual(SENT_ITEMS);
    expect(await reasonOf(gateway.data, GOOD)).toBe('ok');
    const next = await call(`${gateway.data}/v1/verify/batch`, { body: { credentials: [GOOD] } });
    expect(next.status).toBe(200);
    expect((await scrape(gateway.metrics)).get('vigie_unexpected_errors_total')).toBe(0);
  });
});
