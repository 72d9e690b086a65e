/** Batches over real sockets while their bodies arrive: verified meanwhile, in little memory, given up when the client leaves. */
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, reasonOf, scrape, until } from '../support/call.ts';
import { FASTEST_ENGINE, type Gateway, startGateway } from '../support/gateway.ts';
import { head, open, parseAnswers, type RawAnswer } from '../support/raw-http.ts';
import { credential, goodClaims, tampered } from '../support/synthetic-issuer.ts';

const CARD = 'synthetic-card-1';
const good = (jti: string): string =>
  credential({ payload: goodClaims({ jti }, Math.floor(Date.now() / 1000)) });
const GOOD = good(CARD);
const OTHER = good('synthetic-card-2');
const BAD = tampered(GOOD);
const BATCH_BYTES = 16 * 1024 * 1024;
const LINES = 'text/plain';

function postHead(length: number, type: string, accept = 'application/octet-stream'): string {
  const lines = [`Content-Type: ${type}`, `Accept: ${accept}`, `Content-Length: ${length}`];
  return head('POST /v1/verify/batch HTTP/1.1', 'Host: x', ...lines);
}

const write = (socket: Socket, bytes: string): Promise<void> =>
  new Promise((written) => socket.write(bytes, 'latin1', () => written()));

/** So many answers on a connection. */
function answersOn(socket: Socket, count: number): Promise<readonly RawAnswer[]> {
  const chunks: Buffer[] = [];
  return new Promise((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      const answers = parseAnswers(Buffer.concat(chunks).toString('latin1'));
      if (answers.length === count) resolve(answers);
    });
    socket.on('close', () => reject(new Error('closed without an answer')));
  });
}

async function answerOn(socket: Socket): Promise<RawAnswer> {
  const [answer] = await answersOn(socket, 1);
  return answer as RawAnswer;
}

async function verified(gateway: Gateway): Promise<number> {
  return (await scrape(gateway.metrics)).get('vigie_verdicts_total{reason="ok",verdict="valid"}') ?? 0;
}

function residentBytes(pid: number): number {
  const [, kilobytes = ''] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

describe('a batch that arrives slowly', () => {
  let gateway: Gateway;
  beforeAll(async () => {
    // Eight of the largest batches at once are more than is queued at once by default, and a machine that stands still for
    // a moment is no overload that these tests are about.
    const patient = {
      VIGIE_BATCH_QUEUE_MS: '10000',
      VIGIE_BATCH_WAIT_MS: '10000',
      VIGIE_QUEUE_TARGET_MS: '1000',
    };
    gateway = await startGateway({ env: { ...FASTEST_ENGINE, ...patient } });
  });
  afterAll(() => gateway?.dispose());

  const bodies = {
    lines: [LINES, `${`${GOOD}\n`.repeat(1_999)}${BAD}`],
    JSON: ['application/json', JSON.stringify({ credentials: [...Array(1_999).fill(GOOD), BAD] })],
    'JSON with objects': [
      'application/json',
      JSON.stringify({ credentials: [...Array(1_999).fill({ credential: GOOD }), BAD] }, null, 2),
    ],
  } as const;

  it.each(Object.entries(bodies))('is verified before its end: %s', async (_what, [type, body]) => {
    const before = await verified(gateway);
    const socket = await open(gateway.dataPort);
    const answered = answerOn(socket);
    await write(socket, postHead(body.length, type) + body.slice(0, body.length / 2));
    await until(async () => (await verified(gateway)) >= before + 256);
    await write(socket, body.slice(body.length / 2));
    const { status, body: codes } = await answered;
    socket.destroy();
    expect([status, codes]).toEqual([200, `${'\0'.repeat(1_999)}\x07`]);
  });

  it('is refused as a whole when its end is wrong, though much of it was verified', async () => {
    const body = `${JSON.stringify({ credentials: Array(1_000).fill(GOOD) }).slice(0, -1)},"more":1}`;
    const whole = await call(`${gateway.data}/v1/verify/batch`, { body });
    expect([whole.status, whole.json.detail]).toEqual([400, 'the body has a member other than credentials']);
    const socket = await open(gateway.dataPort);
    const answered = answerOn(socket);
    socket.write(postHead(body.length, 'application/json'));
    for (let at = 0; at < body.length; at += 30_000) await write(socket, body.slice(at, at + 30_000));
    expect((await answered).body).toBe(whole.text);
    socket.destroy();
  });

  it('is given up when its client leaves in the middle of it', async () => {
    for (const leave of ['destroy', 'resetAndDestroy'] as const) {
      const before = await verified(gateway);
      const socket = await open(gateway.dataPort);
      const body = `${GOOD}\n`.repeat(2_000);
      await write(socket, postHead(2 * body.length, LINES) + body);
      await until(async () => (await verified(gateway)) >= before + 256);
      socket[leave]();
      await until(async () => (await scrape(gateway.metrics)).get('vigie_requests_in_flight') === 1);
    }
    expect((await scrape(gateway.metrics)).get('vigie_unexpected_errors_total')).toBe(0);
    expect(await reasonOf(gateway.data, GOOD)).toBe('ok');
  });

  it('keeps the answer of a client that is slow to read, whatever others ask meanwhile', async () => {
    const ask = (line: string): string => {
      const body = `${line}\n`.repeat(1_300);
      return postHead(body.length, LINES, 'application/json') + body;
    };
    const slow = await open(gateway.dataPort);
    slow.pause();
    const inFlight = async () => (await scrape(gateway.metrics)).get('vigie_requests_in_flight');
    /** Beside the scrape there is an answer that is not taken whole: not for a moment, but for good. */
    const isKept = async () => {
      for (let look = 0; look < 5; look++) {
        if ((await inFlight()) === 1) return false;
        await sleep(50);
      }
      return true;
    };
    // The kernel takes some answers whole, until the connection is full.
    let asked = 0;
    for (let before = await verified(gateway); asked < 20 && !(await isKept()); asked++) {
      await write(slow, ask(GOOD));
      await until(async () => (await verified(gateway)) === before + (asked + 1) * 1_300);
    }
    expect(await inFlight()).toBe(2);
    for (let i = 0; i < 10; i++) {
      const other = await open(gateway.dataPort);
      const answered = answerOn(other);
      await write(other, ask(OTHER));
      expect(JSON.parse((await answered).body).summary.valid).toBe(1_300);
      other.destroy();
    }
    const cards = new Set<string>();
    for (const { body } of await answersOn(slow.resume(), asked)) {
      const { results } = JSON.parse(body);
      expect(results).toHaveLength(1_300);
      for (const { credential } of results) cards.add(credential.jti);
    }
    slow.destroy();
    expect(cards).toEqual(new Set([CARD]));
  });

  it('takes little memory, however long it is, and others beside it', async () => {
    const line = `${'a'.repeat(1_676)}\n`;
    const body = `${line.repeat(9_999)}${'a'.repeat(BATCH_BYTES - 9_999 * line.length)}`;
    const send = async (): Promise<number> => {
      let peak = 0;
      const sockets = await Promise.all(Array.from({ length: 8 }, () => open(gateway.dataPort)));
      const answers = sockets.map(answerOn);
      for (const socket of sockets) await write(socket, postHead(BATCH_BYTES, LINES));
      // Slower than they are verified: what comes faster waits in the kernel and, in part, in the gateway.
      for (let at = 0; at < BATCH_BYTES; at += 128 * 1024) {
        await Promise.all(sockets.map((socket) => write(socket, body.slice(at, at + 128 * 1024))));
        await new Promise((resolve) => setTimeout(resolve, 20));
        peak = Math.max(peak, residentBytes(gateway.pid));
      }
      for (const answer of await Promise.all(answers)) {
        expect([answer.status, answer.body === '\x01'.repeat(10_000)]).toEqual([200, true]);
      }
      for (const socket of sockets) socket.destroy();
      return peak;
    };
    await reasonOf(gateway.data, GOOD);
    const before = residentBytes(gateway.pid);
    // Held whole, the eight would take 128 MiB at least.
    expect((await send()) - before).toBeLessThan(48 * 1024 * 1024);
  });
});

it('a batch refused while its client was made to wait leaves a connection that goes on', async () => {
  const gateway = await startGateway({
    env: { VIGIE_ENGINE: 'noble', VIGIE_BATCH_QUEUE_MS: '60000', VIGIE_BATCH_WAIT_MS: '10' },
  });
  const connections = (count: number) =>
    Promise.all(Array.from({ length: count }, () => open(gateway.dataPort)));
  const few = `${GOOD}\n`.repeat(30);
  const much = `${'a'.repeat(16_000)}\n`.repeat(128);
  const crowd = async () => {
    const [busy, large] = [await connections(30), await connections(8)];
    // Admitted together; a slice of each small one takes a millisecond or more, so that those behind them come too late.
    for (const socket of busy) await write(socket, postHead(few.length, LINES));
    for (const socket of large) await write(socket, postHead(much.length, LINES));
    for (const socket of busy) socket.write(few);
    const answers = large.map(async (socket) => {
      const answered = answerOn(socket);
      void write(socket, much);
      const { status, body } = await answered;
      socket.removeAllListeners('data');
      const next = answerOn(socket);
      await write(socket, postHead(GOOD.length, LINES) + GOOD);
      return { isLate: status === 503 && body.includes('begun in time'), next: (await next).status };
    });
    const got = await Promise.all(answers);
    for (const socket of [...busy, ...large]) socket.destroy();
    return got;
  };
  // On a busy machine all may be shed before: then they come again.
  await until(async () => {
    const got = await crowd();
    // The next may be refused as well, but it is read and answered.
    for (const { next } of got) expect([200, 503]).toContain(next);
    return got.some(({ isLate }) => isLate);
  });
  await gateway.dispose();
});
