/** Bodies that land with their heads are those that the parser hands out: on real sockets, with its own memory. */
import {
  App,
  type HttpRequest,
  type HttpResponse,
  us_listen_socket_close,
  us_socket_local_port,
} from 'uWebSockets.js';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHeadReader, type HeadReader } from '../../src/ingress/head-reader.ts';
import type { LandingRoom } from '../../src/ingress/route.ts';
import { nativeAddon } from '../support/path-world.ts';

const ROOM: LandingRoom = { bytes: new Uint8Array(1024 * 1024), at: 1000 };

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
    Buffer.from(ROOM.bytes.subarray(ROOM.at, ROOM.at + contentLength)).toString('latin1');
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
  port = await new Promise<number>((resolve) =>
    app.listen('127.0.0.1', 0, (socket) => {
      if (socket === false) throw new Error('no port');
      stop = () => us_listen_socket_close(socket);
      resolve(us_socket_local_port(socket));
    }),
  );
  // The head is learnt.
  await call(['x']);
  seen.length = 0;
});
afterAll(() => {
  stop();
  app.close();
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
    for (const { landed } of seen) if (whole || landed !== undefined) expect(landed).toBe(body);
  });

  it('does not land when not all of it is there, wherever it is cut, though longer ones were read before', async () => {
    const body = 'the body of somebody';
    const text = request(body);
    const bodyAt = text.length - body.length;
    for (let cut = text.indexOf('Host'); cut < text.length; cut++) {
      // What it leaves in the parser's memory would end just where this one does.
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

  it('does not land with the parser’s own mark in it, nor where there is no room', async () => {
    seen.length = 0;
    await call(['a\rabc', 'z'.repeat(ROOM.bytes.length - ROOM.at + 1)]);
    expect(seen.map(({ landed }) => landed)).toEqual([undefined, undefined]);
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
