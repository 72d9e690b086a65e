/** A gateway that asks Redis about proofs, and requests that arrive in pieces, as many clients send theirs: head, then body. */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scrape, until } from '../support/call.ts';
import { type Deployment, deploy, fresh } from '../support/deployment.ts';
import type { Gateway } from '../support/gateway.ts';
import { PHARMACY, shownNow } from '../support/presentation.ts';
import { head, open, parseAnswers, type RawAnswer } from '../support/raw-http.ts';

let deployment: Deployment;
let gateway: Gateway;

beforeAll(async () => {
  deployment = await deploy();
  gateway = await deployment.start('one', { VIGIE_REPLAY_TIMEOUT_MS: '1000' });
  await fresh([gateway]);
}, 60_000);

afterAll(() => deployment.dispose());

/** Long enough for each piece to be read by itself. */
const GAP_MS = 30;

interface Request {
  readonly head: string;
  readonly body: string;
}

function request(jti: string, behind = ''): Request {
  const body = JSON.stringify({ ...shownNow(jti), audience: PHARMACY }) + behind;
  const lines = ['Host: pieces', 'Content-Type: application/json', `Content-Length: ${body.length}`];
  return { head: head('POST /v1/verify HTTP/1.1', ...lines), body };
}

async function inPieces(pieces: readonly string[], answers = 1): Promise<RawAnswer[]> {
  const socket = await open(gateway.dataPort);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  for (const piece of pieces) {
    socket.write(piece);
    await sleep(GAP_MS);
  }
  for (let left = 100; left > 0 && parseAnswers(text).length < answers && !socket.closed; left--)
    await sleep(GAP_MS);
  socket.destroy();
  return parseAnswers(text);
}

const reasons = (answers: readonly RawAnswer[]): string[] =>
  answers.map(({ status, body }) => (status === 200 ? JSON.parse(body).reason : `${status}`));

describe('a presentation, with Redis to be asked', () => {
  const cuts: [string, (one: Request) => string[]][] = [
    ['in one piece', ({ head: top, body }) => [top + body]],
    ['head, then body', ({ head: top, body }) => [top, body]],
    ['cut within the body', ({ head: top, body }) => [top + body.slice(0, 100), body.slice(100)]],
    ['cut within the head', ({ head: top, body }) => [top.slice(0, 60), top.slice(60) + body]],
    ['all but the last byte, then that', ({ head: top, body }) => [top + body.slice(0, -1), body.slice(-1)]],
    [
      'in five pieces',
      ({ head: top, body }) => [top.slice(0, 60), top.slice(60), ...(body.match(/.{1,300}/g) ?? [])],
    ],
  ];
  it.each(cuts)('is valid once: %s', async (name, cut) => {
    const pieces = cut(request(`piece ${name}`));
    expect(reasons(await inPieces(pieces))).toEqual(['ok']);
    expect(reasons(await inPieces(pieces))).toEqual(['replayed']);
  });

  it('with the next request behind it, both in one piece, is told to come again at once', async () => {
    const [first, next] = [request('pipelined first'), request('pipelined next')];
    const answers = await inPieces([first.head + first.body + next.head + next.body], 2);
    // The last one has nothing behind it; the parser may also have closed behind the first answer.
    expect(reasons(answers)[0]).toBe('overloaded');
    expect(reasons(answers).slice(1)).toEqual(answers.length > 1 ? ['ok'] : []);
  });

  it('with the next request behind a body that came by itself may get no answer, and can be repeated', async () => {
    const [first, next] = [request('late first'), request('late next')];
    expect(await inPieces([first.head, first.body + next.head + next.body], 2)).toEqual([]);
    expect(reasons(await inPieces([first.head + first.body]))).toEqual(['ok']);
  });

  it('is valid, whatever others have sent before it', async () => {
    const much = 'POST '.repeat(40_000);
    const [requestHead] = request('any').head.split('Content-Length');
    // All five places of that text: behind a body that came by itself the parser's buffer still has what was there.
    for (const blanks of ['', ' ', '  ', '   ', '    ']) {
      const hostile = await inPieces([head(`${requestHead}Content-Length: ${much.length}`) + much]);
      expect(reasons(hostile)).toEqual(['413']);
      const one = request(`after much ${blanks.length}`, blanks);
      expect(reasons(await inPieces([one.head, one.body]))).toEqual(['ok']);
    }
  });
});

describe('while Redis is asked about a presentation', () => {
  /** What its client does meanwhile; then Redis, which stood still, goes on. */
  async function meanwhile(jti: string, act: (socket: Socket) => void, answers = 1): Promise<RawAnswer[]> {
    const socket = await open(gateway.dataPort);
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    const { head: top, body } = request(jti);
    deployment.redis.signal('SIGSTOP');
    try {
      socket.write(top + body);
      // Beside the scrape itself.
      await until(async () => (await scrape(gateway.metrics)).get('vigie_requests_in_flight') === 2);
      act(socket);
      await sleep(GAP_MS);
    } finally {
      deployment.redis.signal('SIGCONT');
    }
    await until(() => parseAnswers(text).length === answers || socket.closed);
    socket.destroy();
    return parseAnswers(text);
  }

  it('its client may end its own side', async () => {
    expect(reasons(await meanwhile('half closed', (socket) => socket.end()))).toEqual(['ok']);
  });

  it('its client may send the next requests, which are answered behind it', async () => {
    const next = request('sent meanwhile');
    const answers = await meanwhile('not answered yet', (socket) => socket.write(next.head + next.body), 2);
    expect(reasons(answers)).toEqual(['ok', 'ok']);
  });

  it('its client may leave, and nothing of it stays', async () => {
    await meanwhile('left', (socket) => socket.resetAndDestroy());
    await until(async () => (await scrape(gateway.metrics)).get('vigie_requests_in_flight') === 1);
    expect((await scrape(gateway.metrics)).get('vigie_unexpected_errors_total')).toBe(0);
  });
});
