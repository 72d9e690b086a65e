/**
 * HTTP framing: the input goes over a real connection into the parser and all that the gateway has above it, in pieces that
 * its first byte says; routes tell what they were given. Nothing but requests that the strict reader reads may reach a
 * route, in its order and with its bodies, and nothing behind one that it refuses; no more answers than requests.
 */
import { App, us_listen_socket_close, us_socket_local_port } from 'uWebSockets.js';
import { connect } from 'node:net';
import { systemClock } from '../../../src/clock.ts';
import { createHeadReader } from '../../../src/ingress/head-reader.ts';
import { mountRoutes } from '../../../src/ingress/http-server.ts';
import { listenAlone } from '../../../src/ingress/listen.ts';
import { judgeParser } from '../../../src/ingress/parser-build.ts';
import { BEHIND, type Behind, type Route } from '../../../src/ingress/route.ts';
import { loadNativeAddon } from '../../../src/native/addon.ts';
import type { FuzzTarget } from '../fuzz-target.ts';
import { type ModelRequest, modelConnection } from '../models/http-model.ts';
import { HTTP_SEEDS, HTTP_WORDS } from './http-inputs.ts';

const TYPES = ['application/json', 'text/plain'];
const MOST_BODY_BYTES = 300;
/** The longest that a connection may be left open by the gateway once its client has said all. */
const PATIENCE_MS = 15_000;

export async function openHttpTarget(): Promise<FuzzTarget> {
  const handled: ModelRequest[] = [];
  const errors: string[] = [];
  const app = App();
  const server = mountServer(app, handled, errors);
  const socket = await listenAlone(app, '127.0.0.1', 0);
  if (socket === undefined) throw new Error('no port');
  const port = us_socket_local_port(socket);
  let accepted = 0;
  return {
    words: HTTP_WORDS,
    seeds: HTTP_SEEDS.flatMap((seed) =>
      [0, 3].map((pieces) => Buffer.concat([Uint8Array.of(pieces), Buffer.from(seed, 'latin1')])),
    ),
    accepted: () => accepted,
    run: async (input) => {
      handled.length = 0;
      const bytes = input.subarray(1);
      const heard = await converse(port, bytes, input[0] ?? 0);
      accepted += handled.length;
      if (heard === undefined) return `the connection stood open for ${PATIENCE_MS} ms`;
      return errors.length > 0
        ? `it failed inside: ${errors[0]}`
        : judge(bytes, pieceBytes(bytes, input[0] ?? 0), handled, heard);
    },
    close: () => {
      us_listen_socket_close(socket);
      server.stop();
      app.close();
    },
  };
}

function mountServer(
  app: ReturnType<typeof App>,
  handled: ModelRequest[],
  errors: string[],
): { stop(): void } {
  const loaded = loadNativeAddon();
  if (!loaded.ok) throw new Error(`the native code ${loaded.because}`);
  const { addon } = loaded;
  const told = (method: string, path: string, body: string) => {
    handled.push({ method, path, body });
    return { status: 200, contentType: 'text/plain', body: `${handled.length}` };
  };
  const body = { maxBytes: MOST_BODY_BYTES, mediaTypes: TYPES };
  const routes: Route[] = [
    {
      ...{ method: 'POST', path: '/whole', name: 'whole', body },
      handle: (exchange, bytes) =>
        exchange.reply(told(exchange.head.method, '/whole', bytes.toString('latin1'))),
    },
    {
      ...{ method: 'POST', path: '/stream', name: 'stream', body },
      stream: (exchange) => {
        let text = '';
        return {
          take: (chunk, isLast) => {
            text += chunk.toString('latin1');
            if (isLast) exchange.reply(told(exchange.head.method, '/stream', text));
          },
        };
      },
    },
    {
      ...{ method: 'GET', path: '/look', name: 'look' },
      handle: (exchange) => exchange.reply(told(exchange.head.method, '/look', '')),
    },
  ];
  const onUnexpectedError = (error: unknown): void => {
    errors.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  };
  return mountRoutes(app, {
    routes,
    clock: systemClock,
    bodyBounds: { idleTimeoutMs: 5_000, timeoutMs: 10_000, memoryBytes: 1_000_000 },
    answerTimeoutMs: 5_000,
    isDraining: () => false,
    observe: { routeOf: () => 0, begin: () => {}, end: () => {} },
    standsBehind: (chunk) => BEHIND[addon.standsBehind(chunk)] as Behind,
    ...(judgeParser().layoutIsKnown && {
      heads: createHeadReader(addon, () => errors.push('a head was recognised wrongly')),
    }),
    onUnexpectedError,
  });
}

interface Heard {
  readonly text: string;
  /** By a reset: what had been answered may have been lost with it. */
  readonly wasReset: boolean;
}

function pieceBytes(bytes: Buffer, pieces: number): number {
  return Math.max(1, Math.ceil(bytes.length / (1 + (pieces % 4))));
}

/** Sends all, in so many pieces, says that this is all, and reads to the end. */
function converse(port: number, bytes: Buffer, pieces: number): Promise<Heard | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let wasReset = false;
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const patience = setTimeout(() => {
      resolve(undefined);
      socket.destroy();
    }, PATIENCE_MS);
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => {
      wasReset = true;
    });
    socket.on('close', () => {
      clearTimeout(patience);
      resolve({ text: Buffer.concat(chunks).toString('latin1'), wasReset });
    });
    const size = pieceBytes(bytes, pieces);
    const send = (at: number): void => {
      if (at >= bytes.length) {
        socket.end();
        return;
      }
      socket.write(bytes.subarray(at, at + size), () => setImmediate(send, at + size));
    };
    socket.on('connect', () => send(0));
  });
}

function judge(
  bytes: Buffer,
  firstPiece: number,
  handled: readonly ModelRequest[],
  { text, wasReset }: Heard,
): string | undefined {
  const { requests, rest } = modelConnection(bytes);
  // In their order; one or the other may have been refused for what its headers say of its content.
  const reachable = requests.filter(isServed).map((request) => JSON.stringify(request));
  let next = 0;
  for (const request of handled.map((one) => JSON.stringify(one))) {
    const at = reachable.indexOf(request, next);
    if (at < 0) return `a route was given ${request}, the strict reader has ${reachable.slice(next)} there`;
    next = at + 1;
  }
  // None of our contents has a status line in it, and those of answers to HEAD are not sent.
  const answers = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].filter(([, status]) => status !== '100');
  const most = requests.length + (rest === 'nothing' ? 0 : 1);
  if (answers.length > most) return `${answers.length} answers to ${most} requests`;
  const good = answers.filter(([, status]) => status === '200').length;
  if (good > handled.length) return `${good} answers of routes that were asked ${handled.length} times`;
  // What is plainly right is served: else a gateway that refuses everything would be above all reproach.
  const [first] = requests;
  // The parser refuses a request that is torn within the HTTP version (see test/http/framing.test.ts).
  const isTorn = bytes.indexOf('\r\n') + 2 > firstPiece;
  const isPlain = first !== undefined && isServed(first) && isOrdinary(bytes) && !isTorn;
  if (isPlain && handled.length === 0) return 'the first request is in order, and was not served';
  if (!isPlain || wasReset) return undefined;
  // Where the parser cannot read what stands behind, in the same segment, its own answer takes the place of ours.
  const isAlone = requests.length === 1 && rest === 'nothing';
  if (answers.length === 0 || (isAlone && good === 0))
    return 'the first request was served, and no answer came';
  return undefined;
}

/** Whether a route takes it. */
function isServed({ method, path, body }: ModelRequest): boolean {
  if (path === '/look') return method === 'GET' || method === 'HEAD';
  return method === 'POST' && ['/whole', '/stream'].includes(path) && body.length <= MOST_BODY_BYTES;
}

/** Whether nothing in the first head could be a reason of the gateway's own not to serve it: too much, or too rare. */
function isOrdinary(bytes: Buffer): boolean {
  const head = bytes.toString('latin1', 0, bytes.indexOf('\r\n\r\n') + 4);
  const lines = head.split('\r\n').slice(1, -2);
  const names =
    /^(?:Host: [a-z]|Content-Type: application\/json|Content-Length: \d+|Accept: [a-z/-]*|X-Request-Id: [a-z0-9-]*)$/;
  if (head.startsWith('GET ')) return lines.every((line) => line === 'Host: a');
  return lines.includes('Content-Type: application/json') && lines.every((line) => names.test(line));
}
