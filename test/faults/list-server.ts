/** A trust list's server on loopback that can be told to fail in every way there is. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type ListFault =
  | 'none'
  | 'down'
  | 'status-500'
  | 'silent'
  | 'dripping'
  | 'redirecting'
  | 'redirecting-to-itself'
  | 'gigabyte-declared'
  | 'gigabyte-streamed';

export interface ListServer {
  readonly url: string;
  /** What it answers while there is no fault. */
  body: string | Buffer;
  fault: ListFault;
  /** Requests for the list, and for what redirects name. */
  requests(): number;
  /** Of one answer, what was written at most. */
  mostBytes(): number;
  close(): Promise<void>;
}

const GIGABYTE = 1024 ** 3;
const PIECE = Buffer.alloc(64 * 1024, ' ');

export async function startListServer(body: string): Promise<ListServer> {
  let requests = 0;
  let mostBytes = 0;

  /** Until a gigabyte is written or the reader has had enough. */
  const pour = (response: ServerResponse, isDeclared: boolean): void => {
    response.writeHead(200, isDeclared ? { 'content-length': GIGABYTE } : {});
    let written = 0;
    const more = (): void => {
      while (written < GIGABYTE && !response.destroyed) {
        written += PIECE.length;
        mostBytes = Math.max(mostBytes, written);
        if (!response.write(PIECE)) return void response.once('drain', more);
      }
      response.end();
    };
    more();
  };
  const server = createServer((request, response) => {
    requests++;
    const answers: Record<ListFault, () => void> = {
      none: () => response.writeHead(200, { 'content-type': 'application/json' }).end(shown.body),
      down: () => request.socket.destroy(),
      'status-500': () => response.writeHead(500).end(shown.body),
      silent: () => {},
      dripping: () => {
        response.writeHead(200);
        const drip = setInterval(() => response.write(' '), 20);
        response.once('close', () => clearInterval(drip));
      },
      // The list itself stands where it sends its readers.
      redirecting: () => {
        if (request.url === '/elsewhere') response.writeHead(200).end(shown.body);
        else response.writeHead(302, { location: '/elsewhere' }).end();
      },
      'redirecting-to-itself': () => response.writeHead(307, { location: request.url }).end(),
      'gigabyte-declared': () => pour(response, true),
      'gigabyte-streamed': () => pour(response, false),
    };
    answers[shown.fault]();
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const shown: ListServer = {
    url: `http://127.0.0.1:${port}/list`,
    body,
    fault: 'none',
    requests: () => requests,
    mostBytes: () => mostBytes,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return shown;
}
