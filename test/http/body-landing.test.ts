/** Bodies that land with their heads are those that the parser hands out: on real sockets, with its own memory. */
import { App, type HttpRequest, type HttpResponse } from 'uWebSockets.js';
import { spawnSync } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHeadReader, type HeadReader } from '../../src/ingress/head-reader.ts';
import type { LandingRoom } from '../../src/ingress/route.ts';
import { listening } from '../support/listening.ts';
import { nativeAddon } from '../support/path-world.ts';

const ROOM: LandingRoom = { bytes: new Uint8Array(1024 * 1024), at: () => 1000, mostBytes: 64 * 1024 };

/** What became of one call: what landed of its body, if it did, and what the parser handed out, by their text. */
interface Seen {
  readonly landed: string | undefined;
  readonly handedOut: string;
}

let reader: HeadReader;
let port = 0;
let stop = (): void => {};
const app = App();
const seen: Seen[] = [];
const disagreements: string[] = [];

function take(res: HttpResponse, req: HttpRequest): void {
  res.onAborted(() => {});
  const { hasLanded, contentLength } = reader.read(req, ROOM);
  const text = (): string =>
    Buffer.from(ROOM.bytes.subarray(ROOM.at(), ROOM.at() + contentLength)).toString('latin1');
  const landed = hasLanded ? text() : undefined;
  const pieces: Buffer[] = [];
  res.onData((chunk, isLast) => {
    pieces.push(Buffer.from(Buffer.from(chunk)));
    if (!isLast) return;
    seen.push({ landed, handedOut: Buffer.concat(pieces).toString('latin1') });
    res.cork(() => res.end('ok'));
  });
}

beforeAll(async () => {
  reader = createHeadReader(nativeAddon(), () => disagreements.push('reader'));
  app.post('/*', take);
  ({ port, stop } = await listening(app));
  // The head is learnt.
  await call(['x']);
  seen.length = 0;
});
afterAll(() => {
  stop();
  expect(disagreements).toEqual([]);
});

function request(body: string): string {
  return `POST /v1/verify HTTP/1.1\r\nHost: a\r\nContent-Length: ${Buffer.byteLength(body, 'latin1')}\r\n\r\n${body}`;
}

/** Sends the pieces one after the other, each when the one before has been read, and waits for so many answers. */
async function send(pieces: readonly string[], answers = 1, socket?: Socket): Promise<void> {
  const mine = socket ?? connect({ port, host: '127.0.0.1', noDelay: true });
  let text = '';
  const done = new Promise<void>((resolve, reject) => {
    mine.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (text.split('HTTP/1.1 200 OK').length > answers) resolve();
    });
    mine.on('error', reject);
    mine.on('close', () => reject(new Error(`closed behind ${text}`)));
  });
  for (const [i, piece] of pieces.entries()) {
    if (i > 0) await sleep(20);
    mine.write(piece, 'latin1');
  }
  await done;
  if (socket === undefined) mine.removeAllListeners('close').destroy();
  else mine.removeAllListeners();
}

/** Calls one behind the other; what was seen of them. */
async function call(bodies: readonly string[]): Promise<void> {
  for (const body of bodies) await send([request(body)]);
}

describe('a body that was read with its head', () => {
  it.each([
    ['short', 'x'],
    ['of ordinary size', '{"credential":"synthetic"}'.padEnd(700)],
    ['of 64 KiB', 'y'.repeat(64 * 1024 - 200)],
    ['with line ends', 'a\r\nb\r\r\n\rc\r'],
    ['with all bytes', Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('')],
  ])('lands as it was sent: %s', async (_what, body) => {
    seen.length = 0;
    const whole = body.length < 32_000;
    // Sent at once, loopback still may hand a long one out in pieces.
    for (let i = 0; i < 5; i++) await call([body]);
    expect(seen.map(({ handedOut }) => handedOut)).toEqual(new Array(5).fill(body));
    const landed = seen.map((one) => one.landed).filter((text) => text !== undefined);
    expect(landed.length).toBeGreaterThanOrEqual(whole ? 5 : 1);
    expect(new Set(landed)).toEqual(new Set([body]));
  });

  it('does not land when not all of it is there, wherever it is cut, though another one was read before that ended just there', async () => {
    const body = 'the body of somebody';
    const text = request(body);
    const bodyAt = text.length - body.length;
    for (let cut = text.indexOf('Host'); cut < text.length; cut++) {
      await send([request('another'.padEnd(body.length, '!'))]);
      seen.length = 0;
      await send([text.slice(0, cut), text.slice(cut)]);
      // A head that came in pieces is put together, with its body.
      expect(seen).toEqual([{ landed: cut < bodyAt ? body : undefined, handedOut: body }]);
    }
  }, 60_000);

  it('does not land when the next request stands behind it, and the last one does', async () => {
    seen.length = 0;
    await send([request('first') + request('second') + request('third')], 3);
    expect(seen).toEqual([
      { landed: undefined, handedOut: 'first' },
      { landed: undefined, handedOut: 'second' },
      { landed: 'third', handedOut: 'third' },
    ]);
  });

  it('does not land with the parser’s own mark in it, nor when it is longer than what may', async () => {
    seen.length = 0;
    await call(['a\rabc', 'z'.repeat(ROOM.mostBytes + 1)]);
    expect(seen.map(({ landed }) => landed)).toEqual([undefined, undefined]);
  });

  it.each([0, 28])(
    'does not land where more may stand behind it than the parser has put together, behind %i bytes of PROXY',
    async (frameBytes) => {
      seen.length = 0;
      // Version 2, TCP over IPv4, from 127.0.0.1 to 127.0.0.1.
      const frame = '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01\0\x01\0\x01';
      expect(frame).toHaveLength(28);
      const before = frame.slice(0, frameBytes);
      const bare = request('y'.repeat(4_000));
      const body = 'y'.repeat(4_096 - frameBytes - (bare.length - 4_000));
      const text = before + request(body);
      expect(text).toHaveLength(4_096);
      await send([text.slice(0, frameBytes + 40), text.slice(frameBytes + 40) + request('last')], 2);
      expect(seen).toEqual([
        { landed: undefined, handedOut: body },
        { landed: 'last', handedOut: 'last' },
      ]);
    },
  );

  it('does not land where the parser was told to put other sizes of heads together', () => {
    const probe = (more: Readonly<Record<string, string>>): string => {
      const args = ['--import', 'tsx', 'test/support/landing-probe.ts'];
      const env = { ...process.env, ...more };
      return spawnSync(process.execPath, args, { env, encoding: 'utf8', timeout: 20_000 }).stdout.trim();
    };
    // The first is learnt.
    expect(probe({})).toBe('2');
    expect(probe({ UWS_HTTP_MAX_HEADERS_SIZE: '8192' })).toBe('0');
  });

  it('lands the same on a connection that is used again, and on many at once', async () => {
    seen.length = 0;
    const sockets = Array.from({ length: 20 }, () => connect({ port, host: '127.0.0.1', noDelay: true }));
    const bodies = sockets.map((_, i) => `body ${i} `.padEnd(20 + 37 * i, 'b'));
    for (let round = 0; round < 5; round++) {
      await Promise.all(sockets.map((socket, i) => send([request(bodies[i] as string)], 1, socket)));
    }
    for (const socket of sockets) socket.destroy();
    expect(seen).toHaveLength(100);
    for (const { landed, handedOut } of seen) expect(landed).toBe(handedOut);
    expect(new Set(seen.map(({ landed }) => landed))).toEqual(new Set(bodies));
  });
});
