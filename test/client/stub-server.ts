/** A real HTTP server that answers from a script and remembers what it was asked. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** `hang`: the connection stays open unanswered; `cut`: it is closed at once. */
export type Scripted =
  | 'hang'
  | 'cut'
  | { readonly status: number; readonly body?: string | Buffer; readonly headers?: Record<string, string> };

export interface StubServer {
  readonly url: string;
  readonly asked: readonly Asked[];
  close(): Promise<void>;
}

/** Answers the calls in the order of the script; the last entry answers all that follow. */
export async function startStub(...script: readonly Scripted[]): Promise<StubServer> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const scripted = script[Math.min(asked.length, script.length - 1)] ?? 'cut';
    const body = Buffer.concat(chunks).toString('utf8');
    asked.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, body });
    if (scripted === 'cut') request.socket.destroy();
    else if (scripted !== 'hang') response.writeHead(scripted.status, scripted.headers).end(scripted.body);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A port on which nothing listens: one that was free a moment ago. */
export async function unusedUrl(): Promise<string> {
  const stub = await startStub('cut');
  await stub.close();
  return stub.url;
}
