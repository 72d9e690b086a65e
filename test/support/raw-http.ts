/** HTTP by hand: bytes onto a socket as given, and what came back, with how the connection ended. */
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { speaksTls } from './over-tls.ts';

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface RawExchange {
  readonly answers: readonly RawAnswer[];
  /** The server ended the connection, in order or by a reset, before we did. */
  readonly closed: boolean;
  /** All bytes received. */
  readonly text: string;
}

export interface RawOptions {
  /** Answers to wait for; 0 waits for the end of the connection alone. Default 1. */
  readonly answers?: number;
  /** After the answers, wait for the server to close too. */
  readonly untilClosed?: boolean;
  /** Sent behind the answers, for one answer more: whether the connection still serves. */
  readonly probe?: string;
  /** Ends our side of the connection once everything is written. */
  readonly finish?: boolean;
  /** Over TLS, with these; by default where the run is one over TLS. */
  readonly tls?: ConnectionOptions | undefined;
  /** The address to call from, on this machine. */
  readonly localAddress?: string | undefined;
}

/** Longest wait for anything; a test that reaches it has found a hang. */
const PATIENCE_MS = 20_000;

/** Sends the pieces in order, each in a segment of its own as far as the kernel lets them. */
export async function exchangeRaw(
  port: number,
  pieces: readonly (string | Uint8Array)[],
  { answers = 1, untilClosed = answers === 0, probe, finish = false, tls, localAddress }: RawOptions = {},
): Promise<RawExchange> {
  const socket = await open(port, tls, localAddress);
  const received: Buffer[] = [];
  let closed = false;
  let wanted = answers;
  const text = (): string => Buffer.concat(received).toString('latin1');
  const settled = new Promise<void>((resolve, reject) => {
    const hang = setTimeout(() => {
      const got = JSON.stringify(text().slice(0, 300));
      reject(new Error(`nothing more came in ${PATIENCE_MS} ms; closed: ${closed}; so far: ${got}`));
      socket.destroy();
    }, PATIENCE_MS);
    const done = (): void => {
      clearTimeout(hang);
      resolve();
    };
    socket.on('data', (chunk: Buffer) => {
      received.push(chunk);
      if (untilClosed || parseAnswers(text()).length < wanted) return;
      if (probe === undefined || wanted > answers) return done();
      wanted++;
      socket.write(bytesOf(probe));
    });
    // A reset counts as closed: what was sent after the server's close causes one.
    socket.on('error', () => {});
    socket.on('close', () => {
      closed = true;
      done();
    });
  });
  for (const piece of pieces) {
    await new Promise<void>((written) => socket.write(bytesOf(piece), () => written()));
    await new Promise(setImmediate);
  }
  if (finish) (bare.get(socket) ?? socket).end();
  await settled;
  const exchange = { answers: parseAnswers(text()), closed, text: text() };
  socket.destroy();
  return exchange;
}

/** A connection to play with; errors on it are the test's own doing. */
export async function open(
  port: number,
  tls: ConnectionOptions | undefined = speaksTls(port) ? {} : undefined,
  localAddress?: string,
): Promise<Socket> {
  const to = { port, host: '127.0.0.1', noDelay: true, ...(localAddress !== undefined && { localAddress }) };
  const socket = tls === undefined ? connect(to) : secured(connect(to), tls);
  await new Promise<void>((resolve, reject) => {
    socket.once(tls === undefined ? 'connect' : 'secureConnect', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => {});
  return socket;
}

/**
 * What TLS goes over. Our side is ended there, without TLS's own notice of it: the parser drops what it reads together
 * with that notice.
 */
const bare = new WeakMap<Socket, Socket>();

function secured(under: Socket, tls: ConnectionOptions): Socket {
  const socket = connectTls({ host: '127.0.0.1', ...tls, socket: under });
  bare.set(socket, under);
  // What Node.js does only without TLS.
  socket.resetAndDestroy = () => {
    under.resetAndDestroy();
    return socket.destroy();
  };
  return socket;
}

function bytesOf(piece: string | Uint8Array): Uint8Array {
  return typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece;
}

/** A request's head: its lines and the empty line. */
export function head(...lines: string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** Every whole answer in a text; all of ours say their length. */
export function parseAnswers(text: string): RawAnswer[] {
  const parsed: RawAnswer[] = [];
  for (let at = 0; at < text.length; ) {
    const headEnd = text.indexOf('\r\n\r\n', at);
    if (headEnd < 0) break;
    const [statusLine = '', ...lines] = text.slice(at, headEnd).split('\r\n');
    const headers: Record<string, string> = {};
    for (const line of lines) {
      const colon = line.indexOf(':');
      headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    const bodyEnd = headEnd + 4 + Number(headers['content-length'] ?? 0);
    if (bodyEnd > text.length) break;
    parsed.push({
      status: Number(statusLine.split(' ')[1]),
      headers,
      body: text.slice(headEnd + 4, bodyEnd),
    });
    at = bodyEnd;
  }
  return parsed;
}
