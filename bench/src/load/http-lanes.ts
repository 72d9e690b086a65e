/**
 * A few kept-alive connections to one server and what waits for one of them: for a generator that sends at a rate
 * of its own. HTTP/1.1 as far as the gateway speaks it: every answer has a Content-Length.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface Lanes {
  /** Calls back with the answer's status and body once it is there; at once or when a connection is free. */
  send(request: Buffer, onAnswer: (status: number, body: string) => void): void;
  /** Requests that wait for a connection. */
  waiting(): number;
  /** Requests sent or waiting whose answer is not there yet. */
  open(): number;
  close(): void;
}

type OnAnswer = (status: number, body: string) => void;
const HEAD_END = Buffer.from('\r\n\r\n');

export async function openLanes(
  port: number,
  count: number,
  onBroken: (error: Error) => void,
): Promise<Lanes> {
  const free: Socket[] = [];
  const all: Socket[] = [];
  const queue: { readonly request: Buffer; readonly onAnswer: OnAnswer }[] = [];
  const under = new Map<Socket, OnAnswer>();
  let closed = false;
  const give = (socket: Socket, request: Buffer, onAnswer: OnAnswer) => {
    under.set(socket, onAnswer);
    socket.write(request);
  };
  const answered = (socket: Socket, status: number, body: string) => {
    const onAnswer = under.get(socket);
    under.delete(socket);
    const next = queue.shift();
    if (next === undefined) free.push(socket);
    else give(socket, next.request, next.onAnswer);
    onAnswer?.(status, body);
  };
  for (let i = 0; i < count; i++) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    const broken = (error: Error) => {
      if (!closed) onBroken(error);
    };
    socket.on('error', broken);
    socket.on('close', () => broken(new Error('the server closed a connection')));
    readAnswers(socket, (status, body) => answered(socket, status, body));
    free.push(socket);
    all.push(socket);
  }
  return {
    send: (request, onAnswer) => {
      // The one that rested longest: the gateway closes what says nothing for ten seconds.
      const socket = free.shift();
      if (socket === undefined) queue.push({ request, onAnswer });
      else give(socket, request, onAnswer);
    },
    waiting: () => queue.length,
    open: () => queue.length + under.size,
    close: () => {
      closed = true;
      for (const socket of all) socket.destroy();
    },
  };
}

/** A request with a JSON body, ready to be written. */
export function jsonRequest(port: number, path: string, body: object): Buffer {
  const text = JSON.stringify(body);
  const head = [
    `POST ${path} HTTP/1.1`,
    `host: 127.0.0.1:${port}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(text)}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${text}`);
}

function readAnswers(socket: Socket, onAnswer: OnAnswer): void {
  let buffered: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk]);
    for (;;) {
      const headEnd = buffered.indexOf(HEAD_END);
      if (headEnd < 0) return;
      const head = buffered.toString('latin1', 0, headEnd);
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
      const end = headEnd + HEAD_END.length + length;
      if (buffered.length < end) return;
      const body = buffered.toString('utf8', headEnd + HEAD_END.length, end);
      buffered = buffered.subarray(end);
      onAnswer(Number(head.slice(9, 12)), body);
    }
  });
}
