/** HTTP by hand: bytes onto a socket as given, and what came back, with how the connection ended. */
import { connect, type Socket } from 'node:net';

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
}

/** Longest wait for anything; a test that reaches it has found a hang. */
const PATIENCE_MS = 20_000;

/** Sends the pieces in order, each in a segment of its own as far as the kernel lets them. */
export async function exchangeRaw(
  port: number,
  pieces: readonly (string | Uint8Array)[],
  { answers = 1, untilClosed = answers === 0, probe, finish = false }: RawOptions = {},
): Promise<RawExchange> {
  const socket = await open(port);
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
  if (finish) socket.end();
  await settled;
  const exchange = { answers: parseAnswers(text()), closed, text: text() };
  socket.destroy();
  return exchange;
}

/** A connection to play with; errors on it are the test's own doing. */
export async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => {});
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
